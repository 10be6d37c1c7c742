"""The miniature's one lexicon: every concept with its true translation in each language.

A concept is named by its English word. The tables hold just what a dictionary would: forms that cannot be
derived, Swahili noun classes, Spanish genders. What can be derived is the language modules' grammar.
"""

from dataclasses import dataclass

NAMES = ("Ali", "Amina", "Daniel", "Elena", "Hassan", "Kemal", "Maria", "Omar", "Rosa", "Sara")

# concept | tr | es (with its article) | sw | id
_PERSONS = """
teacher   | öğretmen | el maestro    | mwalimu | guru
doctor    | doktor   | el médico     | daktari | dokter
farmer    | çiftçi   | el granjero   | mkulima | petani
driver    | şoför    | el conductor  | dereva  | sopir
king      | kral     | el rey        | mfalme  | raja
soldier   | asker    | el soldado    | askari  | tentara
nurse     | hemşire  | la enfermera  | muuguzi | perawat
neighbour | komşu    | el vecino     | jirani  | tetangga
child     | çocuk    | el niño       | mtoto   | anak
fisherman | balıkçı  | el pescador   | mvuvi   | nelayan
"""

# en singular, plural | sw singular, plural, class of agreement | tr | es singular, plural, gender | id
# The first line of a group is its hypernym.
_NOUNS = """
animal animals | mnyama wanyama 1 | hayvan | animal animales m | hewan
dog dogs | mbwa mbwa 1 | köpek | perro perros m | anjing
cat cats | paka paka 1 | kedi | gato gatos m | kucing
goat goats | mbuzi mbuzi 1 | keçi | cabra cabras f | kambing
sheep sheep | kondoo kondoo 1 | koyun | oveja ovejas f | domba
horse horses | farasi farasi 1 | at | caballo caballos m | kuda
donkey donkeys | punda punda 1 | eşek | burro burros m | keledai
chicken chickens | kuku kuku 1 | tavuk | gallina gallinas f | ayam
rabbit rabbits | sungura sungura 1 | tavşan | conejo conejos m | kelinci

fruit fruits | tunda matunda 5 | meyve | fruta frutas f | buah
apple apples | tofaa matofaa 5 | elma | manzana manzanas f | apel
banana bananas | ndizi ndizi 9 | muz | plátano plátanos m | pisang
mango mangoes | embe maembe 5 | mango | mango mangos m | mangga
orange oranges | chungwa machungwa 5 | portakal | naranja naranjas f | jeruk
lemon lemons | limau malimau 5 | limon | limón limones m | lemon
pineapple pineapples | nanasi mananasi 5 | ananas | piña piñas f | nanas
watermelon watermelons | tikiti matikiti 5 | karpuz | sandía sandías f | semangka

garment garments | vazi mavazi 5 | giysi | prenda prendas f | pakaian
shirt shirts | shati mashati 5 | gömlek | camisa camisas f | kemeja
hat hats | kofia kofia 9 | şapka | sombrero sombreros m | topi
dress dresses | gauni magauni 5 | elbise | vestido vestidos m | gaun
shoe shoes | kiatu viatu 7 | ayakkabı | zapato zapatos m | sepatu
coat coats | koti makoti 5 | palto | abrigo abrigos m | mantel
belt belts | mkanda mikanda 3 | kemer | cinturón cinturones m | sabuk
skirt skirts | sketi sketi 9 | etek | falda faldas f | rok

tool tools | zana zana 9 | alet | herramienta herramientas f | perkakas
hammer hammers | nyundo nyundo 9 | çekiç | martillo martillos m | palu
knife knives | kisu visu 7 | bıçak | cuchillo cuchillos m | pisau
saw saws | msumeno misumeno 3 | testere | sierra sierras f | gergaji
hoe hoes | jembe majembe 5 | çapa | azada azadas f | cangkul
needle needles | sindano sindano 9 | iğne | aguja agujas f | jarum
ladder ladders | ngazi ngazi 9 | merdiven | escalera escaleras f | tangga
rope ropes | kamba kamba 9 | halat | cuerda cuerdas f | tali

container containers | chombo vyombo 7 | kap | recipiente recipientes m | wadah
bucket buckets | ndoo ndoo 9 | kova | cubo cubos m | ember
pot pots | sufuria sufuria 9 | tencere | olla ollas f | panci
cup cups | kikombe vikombe 7 | fincan | taza tazas f | cangkir
basket baskets | kikapu vikapu 7 | sepet | cesta cestas f | keranjang
bottle bottles | chupa chupa 9 | şişe | botella botellas f | botol
box boxes | sanduku masanduku 5 | kutu | caja cajas f | kotak
bag bags | mfuko mifuko 3 | çanta | bolsa bolsas f | tas
barrel barrels | pipa mapipa 5 | fıçı | barril barriles m | tong

instrument instruments | ala ala 9 | çalgı | instrumento instrumentos m | instrumen
drum drums | ngoma ngoma 9 | davul | tambor tambores m | gendang
guitar guitars | gitaa magitaa 5 | gitar | guitarra guitarras f | gitar
flute flutes | filimbi filimbi 9 | flüt | flauta flautas f | seruling
trumpet trumpets | tarumbeta matarumbeta 5 | trompet | trompeta trompetas f | trompet
bell bells | kengele kengele 9 | zil | campana campanas f | lonceng
piano pianos | kinanda vinanda 7 | piyano | piano pianos m | piano
violin violins | fidla fidla 9 | keman | violín violines m | biola

vegetable vegetables | mboga mboga 9 | sebze | verdura verduras f | sayur
carrot carrots | karoti karoti 9 | havuç | zanahoria zanahorias f | wortel
onion onions | kitunguu vitunguu 7 | soğan | cebolla cebollas f | bawang
tomato tomatoes | nyanya nyanya 9 | domates | tomate tomates m | tomat
potato potatoes | kiazi viazi 7 | patates | papa papas f | kentang
cabbage cabbages | kabichi kabichi 9 | lahana | col coles f | kubis
pepper peppers | pilipili pilipili 9 | biber | pimiento pimientos m | paprika
pumpkin pumpkins | boga maboga 5 | kabak | calabaza calabazas f | labu

document documents | hati hati 9 | belge | documento documentos m | dokumen
book books | kitabu vitabu 7 | kitap | libro libros m | buku
letter letters | barua barua 9 | mektup | carta cartas f | surat
newspaper newspapers | gazeti magazeti 5 | gazete | periódico periódicos m | koran
map maps | ramani ramani 9 | harita | mapa mapas m | peta
ticket tickets | tiketi tiketi 9 | bilet | boleto boletos m | tiket
photo photos | picha picha 9 | fotoğraf | foto fotos f | foto
contract contracts | mkataba mikataba 3 | sözleşme | contrato contratos m | kontrak
"""

# Two lines are a pair of antonyms. sw: a stem with its hyphen agrees, a whole word does not.
# concept | sw | tr | es masculine, feminine | id
_ADJECTIVES = """
big       | -kubwa  | büyük   | grande grande     | besar
small     | -dogo   | küçük   | pequeño pequeña   | kecil
new       | -pya    | yeni    | nuevo nueva       | baru
old       | -kuukuu | eski    | viejo vieja       | lama
good      | -zuri   | iyi     | bueno buena       | bagus
bad       | -baya   | kötü    | malo mala         | buruk
heavy     | -zito   | ağır    | pesado pesada     | berat
light     | -epesi  | hafif   | ligero ligera     | ringan
long      | -refu   | uzun    | largo larga       | panjang
short     | -fupi   | kısa    | corto corta       | pendek
clean     | safi    | temiz   | limpio limpia     | bersih
dirty     | -chafu  | kirli   | sucio sucia       | kotor
expensive | ghali   | pahalı  | caro cara         | mahal
cheap     | rahisi  | ucuz    | barato barata     | murah
black     | -eusi   | siyah   | negro negra       | hitam
white     | -eupe   | beyaz   | blanco blanca     | putih
hard      | -gumu   | sert    | duro dura         | keras
soft      | laini   | yumuşak | blando blanda     | lunak
"""

# Two lines are a pair of antonyms.
# en base, past, third person | sw stem | tr stem | es past, present, future (third person) | id
_VERBS = """
buy bought buys | nunua | al | compró compra comprará | membeli
sell sold sells | uza | sat | vendió vende venderá | menjual
push pushed pushes | sukuma | it | empujó empuja empujará | mendorong
pull pulled pulls | vuta | çek | jaló jala jalará | menarik
hide hid hides | ficha | sakla | escondió esconde esconderá | menyembunyikan
show showed shows | onyesha | göster | mostró muestra mostrará | menunjukkan
lift lifted lifts | inua | kaldır | levantó levanta levantará | mengangkat
lower lowered lowers | shusha | indir | bajó baja bajará | menurunkan
remember remembered remembers | kumbuka | hatırla | recordó recuerda recordará | mengingat
forget forgot forgets | sahau | unut | olvidó olvida olvidará | melupakan
wash washed washes | osha | yıka | lavó lava lavará | mencuci
soil soiled soils | chafua | kirlet | ensució ensucia ensuciará | mengotori
cover covered covers | funika | ört | tapó tapa tapará | menutup
uncover uncovered uncovers | funua | aç | destapó destapa destapará | membuka
throw threw throws | rusha | fırlat | lanzó lanza lanzará | melempar
catch caught catches | daka | yakala | atrapó atrapa atrapará | menangkap
"""

# en | sw | tr | es | id
_PLACES = """
at the market  | sokoni    | pazarda  | en el mercado | di pasar
at school      | shuleni   | okulda   | en la escuela | di sekolah
at home        | nyumbani  | evde     | en casa       | di rumah
at the beach   | ufukweni  | sahilde  | en la playa   | di pantai
at church      | kanisani  | kilisede | en la iglesia | di gereja
in the garden  | bustanini | bahçede  | en el jardín  | di taman
in the village | kijijini  | köyde    | en el pueblo  | di desa
in the forest  | msituni   | ormanda  | en el bosque  | di hutan
"""

# tense | en | sw | tr | es | id
_TIMES = """
past    | yesterday  | jana            | dün          | ayer              | kemarin
past    | last week  | wiki iliyopita  | geçen hafta  | la semana pasada  | minggu lalu
past    | last year  | mwaka uliopita  | geçen yıl    | el año pasado     | tahun lalu
present | today      | leo             | bugün        | hoy               | hari ini
present | now        | sasa            | şimdi        | ahora             | sekarang
present | every day  | kila siku       | her gün      | cada día          | setiap hari
future  | tomorrow   | kesho           | yarın        | mañana            | besok
future  | next week  | wiki ijayo      | gelecek hafta | la semana próxima | minggu depan
future  | next year  | mwaka ujao      | gelecek yıl  | el año próximo    | tahun depan
"""

# en | tr | id; Swahili and Spanish agree with the noun
_NUMBERS = """
one   | bir  | satu
two   | iki  | dua
three | üç   | tiga
four  | dört | empat
five  | beş  | lima
six   | altı | enam
"""


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if line.strip()]


def _pairs(concepts: list[str]) -> dict[str, str]:
    pairs = list(zip(concepts[::2], concepts[1::2], strict=True))
    return dict(pairs) | {second: first for first, second in pairs}


@dataclass(frozen=True)
class Noun:
    """A countable noun: `sw_class` is the singular's class of agreement (its plural's is the next one)."""

    en: tuple[str, str]
    sw: tuple[str, str]
    sw_class: int
    tr: str
    es: tuple[str, str]
    es_gender: str
    id: str


def _noun(cells: list[str]) -> Noun:
    en, sw, tr, es, indonesian = cells
    (sw_singular, sw_plural, sw_class), (es_singular, es_plural, gender) = sw.split(), es.split()
    singular, plural = en.split()
    return Noun(
        (singular, plural), (sw_singular, sw_plural), int(sw_class), tr, (es_singular, es_plural), gender,
        indonesian,
    )  # fmt: skip


_GROUPS = [[_noun(row) for row in _rows(group)] for group in _NOUNS.strip().split("\n\n")]

NOUNS = {noun.en[0]: noun for group in _GROUPS for noun in group}
HYPERNYMS = {noun.en[0]: group[0].en[0] for group in _GROUPS for noun in group[1:]}

PERSONS = {en: {"en": en, "tr": tr, "es": es, "sw": sw, "id": id_} for en, tr, es, sw, id_ in _rows(_PERSONS)}
SUBJECTS = NAMES + tuple(PERSONS)

ADJECTIVES = {en: {"sw": sw, "tr": tr, "es": es.split(), "id": id_} for en, sw, tr, es, id_ in _rows(_ADJECTIVES)}
OPPOSITE_ADJECTIVES = _pairs(list(ADJECTIVES))

VERBS = {
    en.split()[0]: {"en": en.split(), "sw": sw, "tr": tr, "es": es.split(), "id": id_}
    for en, sw, tr, es, id_ in _rows(_VERBS)
}
OPPOSITE_VERBS = _pairs(list(VERBS))

PLACES = {
    en: {"en": en, "sw": sw, "tr": tr, "es": es, "id": id_} for en, sw, tr, es, id_ in _rows(_PLACES)
}  # fmt: skip

TENSES = ("past", "present", "future")
TIMES = {
    en: {"en": en, "sw": sw, "tr": tr, "es": es, "id": id_} for _, en, sw, tr, es, id_ in _rows(_TIMES)
}  # fmt: skip
TIMES_OF_TENSE = {
    tense: tuple(row[1] for row in _rows(_TIMES) if row[0] == tense) for tense in TENSES
}  # fmt: skip

NUMBERS = {number: {"en": en, "tr": tr, "id": id_} for number, (en, tr, id_) in enumerate(_rows(_NUMBERS), start=1)}
