"""Sentences that stories, reports and instructions are made of.

`{a}` and `{b}` are two people, `{t}` a town, `{x}` the thing that the text is about, `{they}`, `{them}`
and `{their}` the first person's pronouns. Every row is one step, every step has several wordings.
"""

STORIES = {
    "lost": (
        ("One morning {a} could not find {their} {x}.", "On a cold day {a} lost {their} {x}.", "{a} woke up and saw that {their} {x} was gone."),
        ("{they} looked for the {x} under the bed and behind the door.", "{they} searched the whole house for the {x}.", "{they} ran out into the street to look for the {x}."),
        ("Then {a} asked {b} for help.", "{b} heard of it and came to help.", "{a} told {b} about the {x}."),
        ("Together they walked through {t} and asked everybody about the {x}.", "They went from house to house in {t}.", "They looked near the river and in the old mill of {t}."),
        ("At last {b} saw the {x} beside the well.", "In the evening {b} found the {x} behind a wall.", "Just before night {a} found the {x} in the garden of {b}."),
        ("{a} was so happy that {they} thanked {b} and laughed.", "{a} carried the {x} home and never lost it again.", "That night {a} slept well, and the {x} was safe."),
    ),
    "gift": (
        ("{a} wanted to give {b} a {x}.", "It was the birthday of {b}, and {a} thought of a {x}.", "{a} had seen a fine {x} in a shop of {t}."),
        ("But the {x} cost a lot, and {a} had little money.", "{they} counted {their} coins, and they were too few for the {x}.", "The {x} was too dear for {them}."),
        ("So {a} worked at the market for a week.", "{they} sold flowers in {t} until it was dark.", "{they} helped the farmers with the hay."),
        ("On the last day {they} went back to the shop for the {x}.", "Then {they} had enough and bought the {x}.", "The owner smiled and gave {them} the {x} for less."),
        ("{a} put the {x} in a box and took it to {b}.", "{they} hid the {x} under {their} coat.", "{a} carried the {x} through the rain to {b}."),
        ("{b} opened the box and could not say a word.", "{b} still has the {x} today.", "{b} said that it was the best {x} in the world."),
    ),
    "journey": (
        ("Once {a} set out for {t} with a {x}.", "{a} had never been to {t}, so {they} packed a {x} and left.", "{a} and {b} wanted to take a {x} to {t}."),
        ("The road was long and the {x} was heavy.", "It rained all day, and the {x} got wet.", "{they} walked until {their} feet hurt."),
        ("In the forest {they} lost the way.", "Near a bridge {they} met {b}.", "At night {they} slept in a barn with the {x} beside {them}."),
        ("{b} knew the way and went with {them}.", "{b} gave {them} bread and showed {them} a path.", "{b} offered to carry the {x}."),
        ("The next day they saw the roofs of {t}.", "At noon they came to the gate of {t}.", "From the hill they could see {t} in the sun."),
        ("They put the {x} down and rested.", "Everybody in {t} wanted to see the {x}.", "{a} never forgot the journey to {t}."),
    ),
    "contest": (
        ("Every summer there is a contest for the best {x} in {t}.", "The people of {t} hold a contest, and the prize is a {x}.", "{a} heard of a contest in {t} and wanted to win the {x}."),
        ("{a} practised every day after work.", "{b} said that {a} could never win the {x}.", "{a} and {b} both wanted to win."),
        ("On the day of the contest the square of {t} was full.", "When the bell rang, {a} was nervous.", "{b} went first and was very good."),
        ("Then it was the turn of {a}.", "{a} took a deep breath and began.", "{they} thought of {their} family and began."),
        ("The judges talked for a long time about the {x}.", "Nobody knew who would get the {x}.", "Everybody was quiet while the judges counted."),
        ("In the end {a} won the {x}, and {b} was the first to cheer.", "{b} won, but {b} shared the {x} with {a}.", "{a} went home with the {x} under {their} arm."),
    ),
}  # fmt: skip

STORY_THINGS = ("lamp", "basket", "kettle", "bell", "clock", "mirror", "rope", "bucket", "hammer", "bottle", "pillow", "cup")  # fmt: skip

GUIDES = {
    "cook": (
        ("To cook {x} you need a big pan, clean water and some salt.", "Anybody can make {x} at home.", "Here is how the people of {t} make {x}."),
        ("First wash your hands and put the pan on the fire.", "First fill the pan with water.", "Begin by cleaning the table and the pan."),
        ("Then add the salt and wait until the water is hot.", "Next stir with a wooden spoon for a few minutes.", "After that add what you have and stir."),
        ("Let it cook until it smells good.", "Do not open the pan before it is done.", "Cook it with care and do not let it burn."),
        ("Taste it and add salt if it needs more.", "If it is too thick, add some water.", "If it is too thin, cook it for longer."),
        ("At the end serve the {x} while it is hot.", "Finally put the {x} on plates and call the family.", "The {x} keeps for two days in a cold room."),
    ),
    "repair": (
        ("To repair {x} you need good light, a hammer and some time.", "When {x} breaks, you can often repair it yourself.", "Here is what the workers of {t} do with {x} that is broken."),
        ("First clean all the parts with a dry cloth.", "Begin by looking at every part.", "First put everything on a table."),
        ("Then take out the part that is broken.", "Next mark the places that are worn.", "After that take it apart with care."),
        ("Put in the new part and make sure that it fits.", "Fix the loose parts with a strong rope.", "Press the parts together and wait for an hour."),
        ("If it does not hold, do it again.", "If a part is lost, ask in the shop.", "If you hear a noise, stop and look."),
        ("Finally try it out and put it back in its place.", "At the end clean the table and put the tools away.", "When it works again, tell your friends about it."),
    ),
    "care": (
        ("To take care of {x} you need patience and a clean place.", "Many people in {t} take care of animals.", "Here is how to look after {x}."),
        ("First make a warm bed of straw.", "Begin with a bowl of fresh water.", "First find a quiet corner."),
        ("Then give it food in the morning and in the evening.", "Next learn what it likes to eat.", "After that let it get used to you."),
        ("Never shout at it and do not pull its tail.", "Clean the bed every week.", "Look at its feet and its eyes every day."),
        ("If it does not eat, ask a doctor.", "If it is cold, close the window.", "If it runs away, wait with some food."),
        ("In the end it will trust you.", "Finally, be kind to it and it will stay with you.", "After a month it will come when you call."),
    ),
}  # fmt: skip

REPORTS = {
    "flood": (
        ("After three days of rain the river rose over its banks in {t}.", "A flood has reached the streets of {t}.", "Water stood in the lower streets of {t} on {day}."),
        ("The bridge had to be closed, and the schools stayed shut.", "Many families left their houses and slept in the town hall.", "Nobody was hurt, but many cellars are full of water."),
        ("{a} said that the water came at night.", "{a} had to carry everything to the roof.", "According to {a} the water was as high as a table."),
        ("{b} brought bread and dry clothes to the town hall.", "{b} took twelve people to safety in a boat.", "{b} asked all neighbours to help."),
        ("The water is expected to fall by the end of the week.", "More rain is expected on {day}.", "The town will now build a higher wall."),
    ),
    "market": (
        ("A new market was opened in {t} on {day}.", "The market of {t} has moved to a new place.", "Hundreds of people came to the market of {t} on {day}."),
        ("There are forty stalls and a place to sit.", "Farmers from all parts of the country sell their goods there.", "The stalls were full before the bell rang."),
        ("{a} sold everything before noon.", "{a} said that business had never been better.", "For {a} it was the first day at the market."),
        ("{b} came to buy and to meet friends.", "{b} said that the prices were fair.", "According to {b} the old market was too small."),
        ("The market will be open every {day}.", "The next market is on {day}.", "The town plans to build a roof over the stalls."),
    ),
    "prize": (
        ("{a} has won the great prize of {t}.", "The prize of {t} was given to {a} on {day}.", "On {day} the town of {t} gave its prize to {a}."),
        ("The judges were all of one mind.", "There were more than thirty people who wanted the prize.", "The prize is given once a year and is worth a lot of money."),
        ("{a} thanked {their} family and {b}.", "In a short speech {a} spoke of {their} work.", "{a} said that {they} had not expected it."),
        ("{b} came second and was pleased too.", "{b} said that nobody had earned it more.", "{b} had won the prize the year before."),
        ("The evening ended with music and dancing.", "A dinner was held in the town hall.", "{a} wants to give the money to the school."),
    ),
}  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

LETTER_OPENINGS = (
    "Thank you for your letter of {day}.",
    "I have not written to you for a long time, and I am sorry.",
    "I hope that you are well and that the weather is good.",
    "How are you and how is the family?",
    "It is {day} evening and I have time to write to you.",
)
LETTER_NEWS = (
    "Do you remember {b}?",
    "Last week I met {b} at the market.",
    "On {day} I went to {t} with {b}.",
    "We talked about {b} the other day.",
    "You asked me about {b}.",
    "There is some news of {b} as well.",
)
LETTER_CLOSINGS = (
    "Write to me soon and tell me everything.",
    "I hope to see you in {t} before the winter.",
    "Please come and visit us when you have time.",
    "I have to go now, because dinner is ready.",
    "We all think of you and send our love.",
)
