"""Writes tokenizers/folders.json beside this file: small model folders whose tokens are told of in several files, and the ids that Hugging Face transformers gives.

python3 make_tokenizer_cases.py tokenizers/folders.json   (made with transformers 5.12.1, tokenizers 0.23.1)

Vocabularies are trained on the sentences below. "remade": the same vocabulary behind other normalizers and decoders, judged by tokenizers alone.
"""
import json, os, sys, tempfile, warnings

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
CORPUS = ["the quick brown fox says hello to the world and the tool says hello to the user", "it's 1234 o'clock, don't run", "hello hello world world the the the"] * 4
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SIZE = 300


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def train(pre_tokenizer, specials, normalizer=None, post=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=SIZE, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if post:
        tokenizer.post_processor = post
    return json.loads(tokenizer.to_str())


BASES = {
    "llama3": train(split(GPT4), ["<bos>", "<end>"], post=processors.TemplateProcessing(single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", 0)])),
    "gpt2": train(pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"]),
    "qwen2": train(split(GPT4.replace("{1,3}", "")), [], normalizers.NFC()),
}


def token(content, **flags):
    return {**dict(content=content, lstrip=False, normalized=False, rstrip=False, single_word=False, special=True), **flags}


def typed(content, **flags):
    return {**token(content, **flags), "__type": "AddedToken"}


FAST = {"tokenizer_class": "PreTrainedTokenizerFast"}
QWEN = dict(tokenizer_class="Qwen2Tokenizer", eos_token="<|im_end|>", pad_token="<|endoftext|>", bos_token=None, unk_token=None, additional_special_tokens=["<|im_start|>", "<|im_end|>"],
            added_tokens_decoder={str(SIZE): token("<|endoftext|>"), str(SIZE + 1): token("<|im_start|>"), str(SIZE + 2): token("<|im_end|>"), str(SIZE + 3): token("<tool_call>", special=False)})
GPT2 = dict(tokenizer_class="GPT2Tokenizer")
# Name: base, tokenizer_config.json, special_tokens_map.json, added_tokens.json, model_type, whether there is a tokenizer.json.
FOLDERS = {
    "roles as texts": ("llama3", {**FAST, "bos_token": "<bos>", "eos_token": "<eot>", "pad_token": "<pad>"}),
    "roles as objects": ("llama3", {**FAST, "bos_token": typed("<bos>"), "eos_token": typed("<eot>", rstrip=True), "pad_token": typed("<pad>", lstrip=True, special=False)}),
    "roles of its own": ("llama3", {**FAST, "extra_special_tokens": {"image_token": "<img>"}, "boi_token": "<boi>", "eos_token": "<eot>"}),
    "further tokens": ("llama3", {**FAST, "additional_special_tokens": ["<a>", typed("<b>", rstrip=True), typed("<c>", normalized=True, special=False)], "eos_token": "<eot>"}),
    "further tokens of both names": ("llama3", {**FAST, "additional_special_tokens": ["<a>"], "extra_special_tokens": ["<b>"]}),
    "a list": ("llama3", {**FAST, "added_tokens_decoder": {str(SIZE): token("<eot>", rstrip=True), str(SIZE + 1): token("Word", special=False, normalized=True, single_word=True), "1": token("<end>", lstrip=True)}, "eos_token": "<eot>", "pad_token": "<pad>"}),
    "a list with gaps": ("llama3", {**FAST, "added_tokens_decoder": {str(SIZE + 7): token("<a>"), str(SIZE + 3): token("<b>")}, "eos_token": "<b>"}),
    "a list of what the vocabulary has": ("llama3", {**FAST, "added_tokens_decoder": {str(SIZE): token("hello", special=False)}}),
    "a list and an older file that does not count": ("llama3", {**FAST, "added_tokens_decoder": {str(SIZE): token("<eot>")}, "eos_token": "<eot>"}, {"pad_token": "<pad>", "eos_token": "<other>"}),
    "only an older file": ("llama3", None, {"bos_token": "<bos>", "eos_token": token("<eot>", lstrip=True), "additional_special_tokens": ["<a>", "<b>"]}),
    "an older file that wins": ("llama3", {**FAST, "eos_token": "<one>", "pad_token": "<pad>"}, {"eos_token": "<eot>"}),
    "ids of old": ("llama3", {**FAST, "eos_token": "<eot>"}, None, {"<eot>": SIZE + 5, "<a>": SIZE + 1, "Word": SIZE + 2}),
    "what stands around a text is tokenizer.json's": ("llama3", {**FAST, "add_bos_token": False, "add_eos_token": True, "bos_token": "<bos>", "eos_token": "<end>"}),
    "gpt2 with a prefix space": ("gpt2", {**GPT2, "add_prefix_space": True}, None, None, "gpt2"),
    "no prefix space without the class": ("gpt2", {**FAST, "add_prefix_space": True}, None, None, "gpt2"),
    "files of gpt2": ("gpt2", GPT2, None, None, "gpt2", False),
    "files of gpt2 alone": ("gpt2", None, None, None, "gpt2", False),
    "files of gpt2 as they were": ("gpt2", {"model_max_length": 1024}, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}, None, "gpt2", False),
    "files of gpt2 with more": ("gpt2", {**GPT2, "add_bos_token": True, "add_eos_token": True, "add_prefix_space": True, "pad_token": "<pad>"}, None, {"<pad>": SIZE}, "gpt2", False),
    "files of qwen2": ("qwen2", QWEN, None, None, "qwen2", False),
    "files of qwen3 without a class": ("qwen2", {k: v for k, v in QWEN.items() if k != "tokenizer_class"}, None, None, "qwen3", False),
    "files of qwen2 alone": ("qwen2", None, None, None, "qwen2", False),
    "files of qwen2 under another class": ("qwen2", {**QWEN, **FAST, "add_bos_token": True, "bos_token": "<|im_start|>"}, None, None, "qwen2", False),
    "files of qwen2 in a llama": ("qwen2", {**QWEN, "tokenizer_class": "Qwen2TokenizerFast", "eos_token": typed("<|im_end|>", rstrip=True)}, None, None, "llama", False),
}
MARKS = ["<bos>", "<end>", "<eot>", "<pad>", "<a>", "<b>", "<c>", "<img>", "<boi>", "<one>", "<other>", "Word", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"]
TEXTS = ["", "hello the world", " hello 1234 it's", "cafe\u0301 你好", "Words word", *(f"x {mark} y{mark}" for mark in MARKS)]


def write(folder, name, value):
    if value is not None:
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False) if not isinstance(value, str) else file.write(value)


def files(base, config=None, tokens_map=None, ids=None, model_type="llama", whole=True):
    model = BASES[base]["model"]
    merges = "#version: 0.2\n" + "\n".join(" ".join(merge) for merge in model["merges"]) + "\n"
    return {
        "tokenizer_config.json": config, "special_tokens_map.json": tokens_map, "added_tokens.json": ids, "config.json": {"model_type": model_type},
        **({"tokenizer.json": BASES[base]} if whole else {"vocab.json": model["vocab"], "merges.txt": merges}),
    }


def case(name, description):
    with tempfile.TemporaryDirectory() as folder:
        for file, value in files(*description).items():
            write(folder, file, value)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        cases = [[text, tokenizer.encode(text, add_special_tokens=False), tokenizer.encode(text)] for text in TEXTS]
        own = {file: value for file, value in files(*description).items() if value is not None and file not in ("tokenizer.json", "vocab.json", "merges.txt")}
        return dict(name=name, base=description[0], whole="tokenizer.json" in files(*description), files=own, size=len(tokenizer), eos=tokenizer.eos_token_id, pad=tokenizer.pad_token_id, cases=cases)


def remade(name, normalizer, pre_tokenizer, decoder):
    base = json.loads(json.dumps(BASES["gpt2"]))
    base["normalizer"], base["pre_tokenizer"], base["decoder"] = normalizer, pre_tokenizer, decoder
    tokenizer = Tokenizer.from_str(json.dumps(base))
    texts = ["Café naïve", "e\u0301 a\u0308\u0304", "\u0928\u093f \u0ba4\u0bae\u0bbf\u0bb4\u0bcd a\u20dd", "hello the\n world", "1234567 x\u00b2!? don't", ""]
    return dict(name=name, normalizer=normalizer, pre_tokenizer=pre_tokenizer, decoder=decoder, cases=[[text, (ids := tokenizer.encode(text).ids), tokenizer.decode(ids)] for text in texts])


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
REMADE = [
    remade("accents stripped", {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"}]}, BYTES, BYTES),
    remade("bytes by the normalizer", {"type": "ByteLevel"}, {"type": "Split", "pattern": {"Regex": "\u0120?[^\u0120]+|\u0120"}, "behavior": "Isolated", "invert": False}, BYTES),
    remade("no decoder", None, BYTES, None),
    remade("digits split behind the bytes", None, {"type": "Sequence", "pretokenizers": [{"type": "Punctuation", "behavior": "Contiguous"}, BYTES, {"type": "Digits", "individual_digits": False}, {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": False}]}, BYTES),
]
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump(dict(bases=BASES, folders=[case(name, description) for name, description in FOLDERS.items()], remade=REMADE), out, ensure_ascii=False, separators=(",", ":"))
