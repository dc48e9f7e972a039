"""A made-up shop as the tables of somebody who has never seen this suite: products, orders, searches."""

import numpy as np

KINDS = {"Lamps": "lamp", "Brushes": "brush", "Mugs": "mug", "Chairs": "chair", "Knives": "knife"}
COLOURS = ("red", "blue", "green", "black", "white", "grey", "yellow", "pink", "brown", "silver")
USES = ("desk", "garden", "travel", "kitchen", "office", "camping", "bath", "studio", "hotel", "ship")


def products(first: int, n: int, random: np.random.Generator) -> str:
    """Return CSV of n products, from number `first` on; each kind is a category."""
    lines = ["sku,name,brand,category"]
    for number in range(first, first + n):
        kind = list(KINDS)[number % len(KINDS)]
        name = f"{random.choice(COLOURS)} {random.choice(USES)} {KINDS[kind]}".capitalize()
        lines.append(f"p{number:04},{name},{random.choice(['Lumina', 'Oak', 'Rill'])},Home > {kind}")
    return "\n".join(lines) + "\n"


def orders(customers: int, n_products: int, random: np.random.Generator) -> str:
    """Return CSV of six orders of each customer, a month apart."""
    lines = ["customer,sku,date"]
    for customer in range(customers):
        for month, number in enumerate(random.choice(n_products, 6, replace=False), 1):
            lines.append(f"c{customer:03},p{number + 1:04},2024-{month:02}-16")
    return "\n".join(lines) + "\n"
