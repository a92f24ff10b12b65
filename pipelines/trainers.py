"""Which models the house trains, on which frames of the marts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from models_ml.training.churn import train_churn
from models_ml.training.discover import train_discover
from models_ml.training.lifetime import train_lifetime
from models_ml.training.result import TrainingResult
from models_ml.training.shelves import train_bought_together, train_buy_again, train_popularity, train_similar
from pipelines.features import Marts

Trainer = Callable[[Marts, datetime, Any], TrainingResult]

TRAINERS: Mapping[str, Trainer] = {
    "lifetime_value": lambda marts, as_of, champion: train_lifetime(marts.purchases(), as_of, champion),
    "churn": lambda marts, as_of, champion: train_churn(marts.purchases(), as_of, champion),
    "discover": lambda marts, as_of, champion: train_discover(marts.lines(), as_of, champion),
    "buy_again": lambda marts, as_of, champion: train_buy_again(marts.lines(), as_of, champion),
    "bought_together": lambda marts, as_of, champion: train_bought_together(marts.lines(), as_of, champion),
    "similar": lambda marts, as_of, champion: train_similar(marts.lines(), as_of, marts.products(), champion),
    "popularity": lambda marts, as_of, champion: train_popularity(marts.lines(), as_of, champion),
}
