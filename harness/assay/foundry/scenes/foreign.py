"""Captions in German, French and Spanish, word by word: many captions on the web are translated so."""

from assay.foundry.draw import Draw

_LANGUAGES = ("German", "French", "Spanish")

_TABLE = """
a ein un un; an ein un un; photo Foto photo foto; image Bild image imagen; picture Bild tableau cuadro
drawing Zeichnung dessin dibujo; there da il hay; here hier voici aquí; this dies ceci esto
these diese ces estos; is ist est es; are sind sont son; of von de de; with mit avec con; in in dans en
it ihm lui ello; can kann peut puede; be werden être ser; seen gesehen vu visto; the das le el
and und et y; to zu à a; on auf sur en; against gegen contre contra; left links gauche izquierda
right rechts droite derecha; above über au-dessus encima; over oberhalb dessus sobre
below unter sous debajo; under unterhalb dessous bajo; inside innerhalb dedans dentro
around um autour alrededor; one eins un uno; single einzelner seul solo; two zwei deux dos
pair Paar paire par; group Gruppe groupe grupo; three drei trois tres; four vier quatre cuatro
small kleiner petit pequeño; little winziger minuscule chico; large großer grand grande
big dicker gros gran; solid voller plein sólido; plain schlichter uni liso; striped gestreifter rayé rayado
stripy streifiger zébré listado; dotted gepunkteter pointillé punteado; spotted gefleckter tacheté moteado
checkered karierter quadrillé cuadriculado; checked gewürfelter carrelé ajedrezado
bordered umrandeter bordé bordeado; framed gerahmter encadré enmarcado; faded verblasster délavé desvaído
shaded schattierter ombré sombreado; stripes Streifen rayures rayas; dots Punkten points puntos
spots Flecken taches manchas; checks Karos carreaux cuadros; border Rand bordure borde
frame Rahmen cadre marco; fade Verlauf dégradé desvanecido; red roter rouge rojo
crimson karminroter cramoisi carmesí; blue blauer bleu azul; cobalt kobaltblauer cobalt cobalto
green grüner vert verde; grassy grasgrüner herbeux herboso; yellow gelber jaune amarillo
lemon zitronengelber citron limón; purple lila pourpre morado; violet violetter violet violeta
orange oranger orange naranja; tangerine mandarinfarbener mandarine mandarina; pink rosa rose rosado
rosy rosiger rosé sonrosado; brown brauner brun marrón; chocolate schokobrauner chocolat chocolate
turquoise türkiser turquoise turquesa; teal blaugrüner sarcelle cerceta; circle Kreis cercle círculo
circles Kreise cercles círculos; disc Scheibe disque disco; discs Scheiben disques discos
square Quadrat carré cuadrado; squares Quadrate carrés cuadrados; box Kasten boîte caja
boxes Kästen boîtes cajas; triangle Dreieck triangle triángulo; triangles Dreiecke triangles triángulos
star Stern étoile estrella; stars Sterne étoiles estrellas; heart Herz cœur corazón
hearts Herzen cœurs corazones; cross Kreuz croix cruz; crosses Kreuze croix cruces; plus Plus plus más
sign Zeichen signe signo; signs Zeichen signes signos; ring Ring anneau anillo; rings Ringe anneaux anillos
hoop Reif cerceau aro; hoops Reifen cerceaux aros; diamond Raute losange rombo
diamonds Rauten losanges rombos; rhombus Rhombus rhombe rómbico; rhombuses Rhomben rhombes rómbicos
crescent Sichel croissant creciente; crescents Sicheln croissants crecientes; moon Mond lune luna
moons Monde lunes lunas; hexagon Sechseck hexagone hexágono; hexagons Sechsecke hexagones hexágonos
shape Form forme forma; shapes Formen formes formas; object Gegenstand objet objeto
objects Gegenstände objets objetos; figure Figur figure figura; figures Figuren figures figuras
light heller clair claro; dark dunkler sombre oscuro; tinted getönter teinté teñido; pale blasser pâle pálido
gradient Farbverlauf gradient degradado; background Hintergrund fond fondo; white weißer blanc blanco
black schwarzer noir negro; wall Wand mur pared; fading schwindender pâlissant menguante; sky Himmel ciel cielo
"""

TRANSLATIONS: dict[str, tuple[str, ...]] = {
    entry.split()[0]: tuple(entry.split()[1:])
    for line in _TABLE.strip().splitlines()
    for entry in line.split(";")
}
"""Words of captions in German, French and Spanish."""


def translated(text: str, draw: Draw) -> str:
    """Return a caption in one of the languages, word by word."""
    language = draw.below(len(_LANGUAGES))
    stop = "." if text.endswith(".") else ""
    words = [TRANSLATIONS[word][language] for word in text.lower().rstrip(".").split(" ")]
    sentence = " ".join(words) + stop
    return sentence[0].upper() + sentence[1:] if text[0].isupper() else sentence
