"""`foundry-clip`: an embedded image-text pool with planted defects, and its evaluation items.

Data card

What it is. Small pictures of coloured shapes with captions: ten shapes, nine colours, six textures,
one to four of a kind or one thing beside, above or inside another, on four kinds of background. No
picture was taken and no caption written by a person. It exists to test instruments: a benchmark
that cannot tell a clean selection from a spoilt one of this pool measures nothing.

How it is made. Pair i is a function of i alone: integer arithmetic on SHAKE-256, no library's random
numbers, fonts or drawing, no floating point, PNG files without compression. Any range, in any order,
on any machine, has the same bytes. A uid is a hash of i, so the order of uids tells nothing.

What is visible. `url`, `host` (40 of them, in five tiers of care), `original_width` and
`original_height` (16 times the stored size: most images are 28 to 48 pixels a side), `sha256` of the
image. Tiers also differ in what they show: shapes and colours have a long tail, each tier favours
others of them, and careful hosts have few dark backgrounds. What is not visible: `Truth`, for oracles
and diagnostics only.

What is wrong with it. Of every thousand pairs, by their first defect, and where it shows:

    mismatched_caption  160  both       partly_wrong     150  both
    generic_caption      70  caption    foreign_caption   70  caption
    file_name            60  caption    rendered_text     60  image
    boilerplate          50  caption    watermark         40  image
    near_duplicate       40  others     exact_duplicate   30  others
    tiny_image           30  image      extreme_aspect    20  image
    leaked_item           2  others     (clean)          218

To see `both` takes image and caption together; to see `others`, the other pairs or the suite. Every
block of a thousand pairs has exactly these numbers. Of pairs with boilerplate, a watermark, a tiny or
a very long image, a fifth also have another scene's caption; boilerplate replaces two captions in
five. Copies come in clusters of 2 to 25, most of them small. Watermarks, copies and boilerplate
around a caption do little harm: about a third of the pool is worth training on. A caption states one
to eight facts of its scene, and a clean pair is worth a little more the more it states.

What is measured. Twelve tasks of 32 x 32 images, see `scene_tasks`: shape, colour and texture; colour
with shape, number, relation; shapes as sketches, under noise and at low contrast; shapes by
background, for the worst group; textures of which some are rare; retrieval with full captions.

Reference. `ScenesSource(n, reference=True)` yields clean pairs that are in neither pool nor suite, to
train scorers on.

Limits. Pictures and sentences are those of templates. What ranks strategies here need not rank them
on photographs.
"""

from assay.foundry.scenes.defects import defect_rates
from assay.foundry.scenes.items import SceneItem, SceneTask, scene_tasks
from assay.foundry.scenes.pairs import ScenePair, Truth, reference_scenes, scenes
from assay.foundry.scenes.source import ScenesSource

__all__ = [
    "SceneItem",
    "ScenePair",
    "SceneTask",
    "ScenesSource",
    "Truth",
    "defect_rates",
    "reference_scenes",
    "scene_tasks",
    "scenes",
]
