// Codes in memory: one typed array per method, items sorted by their codes, so that a prefix is a range of that order.

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

function unpack(base64, bytes) {
  const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new ARRAYS[bytes](raw.buffer); // the page's numbers are little-endian, as those of all browsers' machines
}

class Codes {
  constructor(method) {
    this.about = method;
    this.levels = method.levels;
    this.values = unpack(method.codes, method.bytes); // [items * levels]
    this.none = 256 ** method.bytes - 1;
    this.order = new Uint32Array(this.values.length / this.levels).map((_, item) => item);
    this.order.sort((a, b) => this.compare(a, b) || a - b);
    this.place = new Uint32Array(this.order.length);
    this.order.forEach((item, at) => { this.place[item] = at; });
  }

  code(item, level) {
    return this.values[item * this.levels + level];
  }

  compare(a, b) {
    for (let level = 0; level < this.levels; level += 1) {
      const difference = this.code(a, level) - this.code(b, level);
      if (difference) return difference;
    }
    return 0;
  }

  id(item) {
    const codes = [...this.values.subarray(item * this.levels, (item + 1) * this.levels)];
    return codes.filter((code) => code !== this.none);
  }

  starts(item, prefix) {
    return prefix.every((code, level) => this.code(item, level) === code);
  }

  // The range [from, to) of `order` whose items start with this prefix.
  range(prefix) {
    const before = (item, orSame) => {
      for (let level = 0; level < prefix.length; level += 1) {
        const difference = this.code(item, level) - prefix[level];
        if (difference) return difference < 0;
      }
      return orSame;
    };
    const first = (orSame) => {
      let [low, high] = [0, this.order.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (before(this.order[middle], orSame)) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    return [first(false), first(true)];
  }

  items(prefix) {
    return this.order.subarray(...this.range(prefix));
  }

  // The codes that follow a prefix: [{code, items}].
  children(prefix) {
    const level = prefix.length;
    if (level >= this.levels) return [];
    const found = new Map();
    for (const item of this.items(prefix)) {
      const code = this.code(item, level);
      if (code === this.none) continue;
      if (!found.has(code)) found.set(code, []);
      found.get(code).push(item);
    }
    return [...found].map(([code, items]) => ({ code, items }));
  }
}

// Items, their words and categories. Words are counted once per item.
class Catalogue {
  constructor(about) {
    this.about = about;
    this.titles = about.titles;
    this.categories = unpack(about.categories.data, about.categories.bytes);
    this.codes = new Map();
    this.searched = null;
    this.words = [];
    this.readWords();
  }

  codesOf(index) {
    if (!this.codes.has(index)) this.codes.set(index, new Codes(this.about.methods[index]));
    return this.codes.get(index);
  }

  readWords() {
    const number = new Map();
    this.wordsOf = this.titles.map((text) => [...new Set(text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]+/gu) ?? [])].map((word) => {
      if (!number.has(word)) {
        number.set(word, this.words.length);
        this.words.push(word);
      }
      return number.get(word);
    }));
    this.frequency = this.count(this.titles.keys());
    this.total = [...this.frequency.values()].reduce((sum, n) => sum + n, 0);
  }

  count(items) {
    const counts = new Map();
    for (const item of items) {
      for (const word of this.wordsOf[item]) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return counts;
  }

  // Words that these items have more often than the others: z-scores of log-odds with a Dirichlet prior
  // (Monroe, Colaresi and Quinn, Fightin' Words, Political Analysis 2008, equations 15 to 22).
  distinctive(items, most) {
    const here = this.count(items);
    const n = [...here.values()].reduce((sum, count) => sum + count, 0);
    const strength = Math.min(500, this.total);
    const scored = [];
    for (const [word, y] of here) {
      if (y < 2) continue;
      const all = this.frequency.get(word);
      const prior = strength * all / this.total;
      const rest = all - y;
      const own = Math.log((y + prior) / (n + strength - y - prior));
      const other = Math.log((rest + prior) / (this.total - n + strength - rest - prior));
      const z = (own - other) / Math.sqrt(1 / (y + prior) + 1 / (rest + prior));
      if (z > 1.96) scored.push({ word: this.words[word], count: y, z });
    }
    return scored.sort((a, b) => b.z - a.z || (a.word < b.word ? -1 : 1)).slice(0, most);
  }

  path(item) {
    return this.about.paths[this.categories[item]];
  }

  topCategories(items, most) {
    const counts = new Map();
    for (const item of items) counts.set(this.categories[item], (counts.get(this.categories[item]) ?? 0) + 1);
    return [...counts].filter(([path]) => this.about.paths[path].length).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most)
      .map(([path, count]) => ({ path: this.about.paths[path], count }));
  }

  find(text, most) {
    this.searched ??= this.titles.map((one, item) => `${this.about.ids[item]} ${one}`.toLowerCase());
    const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!terms.length) return { items: [], more: 0 };
    const found = [];
    this.searched.forEach((words, item) => { if (terms.every((term) => words.includes(term))) found.push(item); });
    const whole = text.trim().toLowerCase();
    found.sort((a, b) => (this.about.ids[b].toLowerCase() === whole) - (this.about.ids[a].toLowerCase() === whole) || a - b);
    return { items: found.slice(0, most), more: Math.max(0, found.length - most) };
  }
}
