"""What emoji say about the mood of a post, in any language.

A short list by hand, on VADER's scale of -4 to 4. VADER itself scores the words of each emoji's
English name, which makes a broken heart good, a fire bad, a die deadly and a thumb nothing at all.
Emoji that people use both ways (crying out loud, the skull, the upside-down face, the smirk) are
left out: no statement.
"""

from __future__ import annotations

_BY_WEIGHT = {
    3.0: '😍🥰❤♥💖💗💘💝💞💕💓💟❣💙💚💛🧡💜🖤🤍🤎🩷🩵🩶😻',
    2.5: '🥳🤩😘🏆🎉🎊💯👏😊😁😄',
    2.0: '👍😀😃😆😂🤣😚😙😗☺😇🤗👌🙌🤘🫶💐🌹😺😸😹😽😎😋🥇💪',
    1.5: '🙂😌🤝🙏✨🌟⭐🌈🌞☀💃🕺🍾🥂✌🤙🌸🌺😉🔥✅✔💋',
    0.5: '😅🤭😜😛😝🤪',
    -0.5: '🤔😐😑😶😬😳🤷😴',
    -1.0: '😕🙁☹😟😓😥😔🙄😒🤨⚠💤🤥😰',
    -1.5: '😞😢😣😖😩😫😦😧😨😿🙍🤦😤🤕🤒❌🚫⛔👿😱',
    -2.0: '👎😠🤢💩🙅🙎😾🤡💔',
    -3.0: '😡🤬🤮🖕',
}

#: Emoji -> weight. Single code points: skin tones, joiners and selectors are dropped before.
WEIGHTS: dict[str, float] = {char: weight for weight, chars in _BY_WEIGHT.items() for char in chars}
