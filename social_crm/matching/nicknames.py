"""Given names and their short forms: English ones by the library ``nicknames``, others here."""

from __future__ import annotations

from functools import lru_cache

from nicknames import NickNamer

from .fold import joined

#: Each line one name with the forms that people go by, in the languages around us.
_FAMILIES = """
johannes johann hans hannes johan jan hansi juan giovanni jean ivan john jonny
josef joseph sepp pepi jupp jose pepe giuseppe beppe joe
franz francisco paco pancho francesco francois frank
anton antonio toni antoine tony
alexander alex sascha sasha aleksandr alejandro alessandro xander lex
alexandra alex sandra sascha sasha aleksandra
elisabeth lisa lisi elisa elise liesl sissi betty elizabeth isabel liz beth
katharina kathi kathrin katja kati kate catherine caterina ekaterina katya kasia
theresa resi resl therese teresa tess
margarete grete gretl margit margarita margherita marguerite maggie
barbara babsi bärbel barbla
cornelia conny nelly
christian chris
christoph chris stoffel christophe cristobal christopher
christina tina chris christine kristina
michael michi michel miguel michele mike mischa misha mikhail
matthias hias mathias mattias matteo matthieu mateo matt
andreas andi andrea andre andres andrew andrei andrzej
stefan stephan steff esteban etienne stefano steven steve
thomas tom tommy tomas tommaso
georg schorsch jörg jorge giorgio georges george jiri
karl carl carlos carlo charles charlie
ludwig lutz luis luigi louis lewis
wilhelm willi guillermo guglielmo guillaume william will bill
friedrich fritz federico frederic fred
heinrich heinz enrico enrique henri henry
ulrich uli ulli
ulrike uli ulli rike
susanne susi sanne susana susanna susan sue
maria marie mitzi maja mary mariya
gabriele gabi
martin martino martín
maximilian max maxi massimiliano
benjamin ben benni
daniel dani danny daniele
sebastian basti wastl bastian
sabrina bri
dolores lola
ignacio nacho
eduardo edu lalo eduard edi edward
rafael rafa raphael
manuel manolo manu emanuel
manuela manu
guadalupe lupe
jessica jessi
dmitri dima dmitry mitya
vladimir volodya vova wladimir
ekaterina katya
yevgeny zhenya evgeny eugen eugene
nikolaus niki klaus nicolas niko nick
robert rob bob bobby roberto
richard rick dick ricardo
"""


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[frozenset[str], ...]]:
    groups: dict[str, list[frozenset[str]]] = {}
    for line in _FAMILIES.strip().splitlines():
        names = frozenset(joined(name) for name in line.split())
        for name in names:
            groups.setdefault(name, []).append(names)
    return {name: tuple(found) for name, found in groups.items()}


@lru_cache(maxsize=1)
def _english() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=20_000)
def variants(name: str) -> frozenset[str]:
    """Return a given name (folded) and the names it may stand for or go by."""
    found = {name}
    found.update(*_groups().get(name, ()))
    found |= _english().nicknames_of(name)
    found |= _english().canonicals_of(name)
    return frozenset(found)


def same_given_name(one: str, other: str) -> bool:
    """Tell whether two folded given names may be those of one person."""
    return one == other or other in variants(one) or one in variants(other)
