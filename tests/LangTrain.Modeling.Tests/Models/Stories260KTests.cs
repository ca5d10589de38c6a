using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>A real model's greedy text; the texts were made by llama.cpp and are kept beside the model.</summary>
public class Stories260KTests
{
    [Fact]
    public void Greedy_text_equals_the_golden_text()
    {
        string folder = SharedModels.Stories260K();
        using DecoderModel model = DecoderModel.Load(folder);
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
        string[] pieces = Pieces(folder);
        foreach (JsonElement story in golden.RootElement.EnumerateArray())
        {
            string text = story.GetProperty("text").GetString()!, prompt = story.GetProperty("prompt").GetString()!;
            using var cache = new KeyValueCache(model, 1, 256);
            List<long> ids = [1, .. Encode(pieces, prompt)];
            var pass = new ForwardPass { Cache = cache };
            int given = ids.Count, fed = 0;
            while (ids.Count < story.GetProperty("positions").GetInt32() + 1)
            {
                using var scope = NewDisposeScope();
                Tensor hidden = model.Hidden(tensor(ids.Skip(fed).ToArray()).unsqueeze(0), pass);
                fed = ids.Count;
                ids.Add(model.Logits(hidden.narrow(1, hidden.shape[1] - 1, 1)).argmax(-1).item<long>());
            }

            string made = Decode(pieces, ids);
            Assert.StartsWith(text, made);
            Assert.True(ids.Count > given + 100);
        }
    }

    /// <summary>The number is that of llama.cpp 0.7.0: llama-perplexity -c 128 -b 128 -ctk f32 -ctv f32 on the F32 export, with the golden texts three times over as the text.</summary>
    [Fact]
    public void Perplexity_equals_that_of_llama_cpp()
    {
        string folder = SharedModels.Stories260K();
        using DecoderModel model = DecoderModel.Load(folder);
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
        string texts = string.Join(' ', golden.RootElement.EnumerateArray().Select(story => story.GetProperty("text").GetString()));
        IReadOnlyList<int> ids = LangTrain.Modeling.Tokenizers.Tokenizer.Load(folder).Encode($"{texts} {texts} {texts}", addSpecialTokens: true);
        Assert.InRange(Perplexity.Of(model, ids, 1) / 2.1238 - 1, -1e-3, 1e-3);
    }

    private static string[] Pieces(string folder)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer.json")));
        string[] pieces = new string[512];
        foreach (JsonProperty entry in json.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject())
        {
            pieces[entry.Value.GetInt32()] = entry.Name;
        }

        return pieces;
    }

    /// <summary>SentencePiece's rule in its plainest form: merge the pair whose piece has the lowest id, until none is left.</summary>
    private static List<long> Encode(string[] pieces, string text)
    {
        List<string> parts = [.. ("▁" + text.Replace(' ', '▁')).Select(letter => letter.ToString())];
        while (true)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                int id = Array.IndexOf(pieces, parts[i] + parts[i + 1]);
                if (id >= 0 && id < best)
                {
                    (best, at) = (id, i);
                }
            }

            if (at < 0)
            {
                return [.. parts.Select(part => (long)Array.IndexOf(pieces, part))];
            }

            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }

    private static string Decode(string[] pieces, IEnumerable<long> ids)
    {
        List<byte> bytes = [];
        foreach (string piece in ids.Skip(1).Select(id => pieces[id]))
        {
            bytes.AddRange(piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal) ? [Convert.ToByte(piece[3..5], 16)] : Encoding.UTF8.GetBytes(piece.Replace('▁', ' ')));
        }

        return Encoding.UTF8.GetString([.. bytes]).TrimStart(' ');
    }
}
