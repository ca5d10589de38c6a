using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers.SentencePiece;

/// <summary>Reads a <c>tokenizer.model</c> and says the same as a tokenizer.json, so that one path of code encodes both.</summary>
/// <remarks>
/// Fields as in sentencepiece_model.proto. SentencePiece merges by the score of what a merge makes; as rules, every pair of entries
/// that makes an entry has that entry's rank.
/// </remarks>
internal sealed class SentencePieceModel
{
    private const int Unknown = 2, Control = 3, UserDefined = 4;
    private const int Bpe = 2;
    private readonly List<(string Text, float Score, int Type)> _pieces = [];
    private int _modelType = 1; // unigram, the format's default
    private bool _byteFallback;
    private bool _addDummyPrefix = true;
    private bool _removeExtraWhitespaces = true;
    private bool _escapeWhitespaces = true;
    private bool _whitespaceIsSuffix;
    private string _normalizerName = "";

    /// <returns>UTF-8 JSON.</returns>
    /// <exception cref="UnsupportedTokenizerException">The model is not BPE, or normalizes in a way that is not understood.</exception>
    /// <exception cref="InvalidDataException">The data is no SentencePiece model.</exception>
    public static byte[] ToTokenizerJson(ReadOnlySpan<byte> data)
    {
        LfsPointer.Refuse(data, "tokenizer.model");
        var model = new SentencePieceModel();
        model.Read(data);
        return model.Write();
    }

    private void Read(ReadOnlySpan<byte> data)
    {
        var reader = new ProtobufReader(data);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: ReadPiece(reader.Bytes); break;
                case 2: ReadTrainer(reader.Bytes); break;
                case 3: ReadNormalizer(reader.Bytes); break;
            }
        }
        if (_pieces.Count == 0) throw new InvalidDataException("tokenizer.model has no pieces.");
        if (_modelType != Bpe) throw new UnsupportedTokenizerException("tokenizer.model: trainer_spec.model_type", $"{_modelType} is not understood (known: 2, BPE)");
        if (_removeExtraWhitespaces) throw new UnsupportedTokenizerException("tokenizer.model: normalizer_spec.remove_extra_whitespaces", "only false is understood");
        if (_whitespaceIsSuffix) throw new UnsupportedTokenizerException("tokenizer.model: trainer_spec.treat_whitespace_as_suffix", "only false is understood");
        if (!_escapeWhitespaces) throw new UnsupportedTokenizerException("tokenizer.model: normalizer_spec.escape_whitespaces", "only true is understood");
        if (_normalizerName is not ("identity" or "")) throw new UnsupportedTokenizerException("tokenizer.model: normalizer_spec.name", $"'{_normalizerName}' is not understood (known: identity)");
    }

    private void ReadPiece(ReadOnlySpan<byte> data)
    {
        var (text, score, type) = ("", 0f, 1);
        var reader = new ProtobufReader(data);
        while (reader.Next())
        {
            if (reader.Field == 1) text = Encoding.UTF8.GetString(reader.Bytes);
            else if (reader.Field == 2) score = reader.Float;
            else if (reader.Field == 3) type = (int)reader.Number;
        }
        _pieces.Add((text, score, type));
    }

    private void ReadTrainer(ReadOnlySpan<byte> data)
    {
        var reader = new ProtobufReader(data);
        while (reader.Next())
        {
            if (reader.Field == 3) _modelType = (int)reader.Number;
            else if (reader.Field == 24) _whitespaceIsSuffix = reader.Flag;
            else if (reader.Field == 35) _byteFallback = reader.Flag;
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> data)
    {
        var reader = new ProtobufReader(data);
        while (reader.Next())
        {
            if (reader.Field == 1) _normalizerName = Encoding.UTF8.GetString(reader.Bytes);
            else if (reader.Field == 3) _addDummyPrefix = reader.Flag;
            else if (reader.Field == 4) _removeExtraWhitespaces = reader.Flag;
            else if (reader.Field == 5) _escapeWhitespaces = reader.Flag;
        }
    }

    private byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            WriteAddedTokens(json);
            json.WritePropertyName("normalizer");
            json.WriteRawValue(_addDummyPrefix
                ? """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""
                : """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""");
            json.WritePropertyName("decoder");
            json.WriteRawValue("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}"""
                + (_addDummyPrefix ? """,{"type":"Strip","content":" ","start":1,"stop":0}]}""" : "]}"));
            WriteModel(json);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private void WriteAddedTokens(Utf8JsonWriter json)
    {
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < _pieces.Count; id++)
        {
            var (text, _, type) = _pieces[id];
            if (type is not (Unknown or Control or UserDefined)) continue;
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", text);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", type != UserDefined);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteString("unk_token", _pieces.Find(piece => piece.Type == Unknown).Text);
        json.WriteBoolean("fuse_unk", true);
        json.WriteBoolean("byte_fallback", _byteFallback);
        json.WriteStartObject("vocab");
        for (var id = 0; id < _pieces.Count; id++) json.WriteNumber(_pieces[id].Text, id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in Merges())
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private IEnumerable<(string Left, string Right)> Merges()
    {
        var ids = new Dictionary<string, int>();
        // Only what text is made of: a control token or a byte's token is never part of a merge.
        for (var id = 0; id < _pieces.Count; id++)
        {
            if (_pieces[id].Type is 1 or UserDefined) ids[_pieces[id].Text] = id;
        }
        foreach (var (text, _, _) in _pieces.Where(piece => piece.Type == 1).OrderByDescending(piece => piece.Score))
        {
            var splits = new List<(string Left, string Right)>();
            for (var i = 1; i < text.Length; i++)
            {
                if (ids.ContainsKey(text[..i]) && ids.ContainsKey(text[i..])) splits.Add((text[..i], text[i..]));
            }
            foreach (var split in splits.OrderBy(split => (ids[split.Left], ids[split.Right]))) yield return split;
        }
    }
}
