"""Codes of languages: what networks and translators send, as ISO 639-1."""

from __future__ import annotations

import re
from functools import lru_cache

_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia
id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn nr nv ny oc oj om or os pa pi pl ps
pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl
tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
#: ISO 639-1.
CODES = frozenset(_CODES.split())

# Old codes, and the three-letter ones that networks and translators send.
_ALIASES = {
    'iw': 'he',
    'in': 'id',
    'ji': 'yi',
    'jw': 'jv',
    'mo': 'ro',
    'sh': 'sr',
    'no': 'nb',
    'fil': 'tl',
    'cmn': 'zh',
    'yue': 'zh',
    'wuu': 'zh',
    'zho': 'zh',
    'chi': 'zh',
    'arz': 'ar',
    'ary': 'ar',
    'ara': 'ar',
    'ben': 'bn',
    'bul': 'bg',
    'cat': 'ca',
    'ces': 'cs',
    'cze': 'cs',
    'dan': 'da',
    'deu': 'de',
    'ger': 'de',
    'ell': 'el',
    'gre': 'el',
    'eng': 'en',
    'est': 'et',
    'eus': 'eu',
    'baq': 'eu',
    'fas': 'fa',
    'per': 'fa',
    'fin': 'fi',
    'fra': 'fr',
    'fre': 'fr',
    'gle': 'ga',
    'glg': 'gl',
    'heb': 'he',
    'hin': 'hi',
    'hrv': 'hr',
    'hun': 'hu',
    'hye': 'hy',
    'ind': 'id',
    'isl': 'is',
    'ice': 'is',
    'ita': 'it',
    'jpn': 'ja',
    'kat': 'ka',
    'kor': 'ko',
    'lit': 'lt',
    'lav': 'lv',
    'mkd': 'mk',
    'msa': 'ms',
    'may': 'ms',
    'nld': 'nl',
    'dut': 'nl',
    'nob': 'nb',
    'nno': 'nn',
    'nor': 'nb',
    'pol': 'pl',
    'por': 'pt',
    'ron': 'ro',
    'rum': 'ro',
    'rus': 'ru',
    'slk': 'sk',
    'slo': 'sk',
    'slv': 'sl',
    'spa': 'es',
    'sqi': 'sq',
    'srp': 'sr',
    'swe': 'sv',
    'tam': 'ta',
    'tel': 'te',
    'tgl': 'tl',
    'tha': 'th',
    'tur': 'tr',
    'ukr': 'uk',
    'urd': 'ur',
    'uzb': 'uz',
    'vie': 'vi',
    'srl': 'sr',
    'uzs': 'uz',
}


@lru_cache(1024)
def normalise(code: str) -> str:
    """Return the ISO 639-1 code of a tag (``en-US``, ``pt_BR``, ``iw``), ``''`` for others."""
    language = re.split('[-_.@]', code.strip().lower(), maxsplit=1)[0]
    language = _ALIASES.get(language, language)
    return language if language in CODES else ''
