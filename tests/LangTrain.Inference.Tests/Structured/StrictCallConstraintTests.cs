using System.Text.Json;
using LangTrain.Inference.Structured;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference.Tests.Structured;

public class StrictCallConstraintTests
{
    private const string Tools = """
        [{"type":"function","function":{"name":"weather","strict":true,"parameters":{"type":"object","properties":{"city":{"enum":["Rome","Oslo"]}},"required":["city"],"additionalProperties":false}}},
         {"type":"function","function":{"name":"time"}}]
        """;

    private readonly Tokenizer? _tokenizer = Some.Stories260K is { } folder ? Tokenizer.Load(folder) : null;

    [Theory]
    [InlineData("Sure. <tool_call>")]
    [InlineData("<tool_call>\n{\"name\": \"weather\", \"arg")]
    [InlineData("{\"name\": \"weather\", \"parameters\"")]
    [InlineData("[TOOL_CALLS][{\"name\":\"time\",\"arguments\":{}}, {\"name\":\"weather\",\"arguments\"")]
    public void A_call_that_has_begun_is_held_to_its_schema_whatever_is_drawn(string begun)
    {
        var tokenizer = Loaded();
        for (var seed = 0; seed < 20; seed++)
        {
            var constraint = New(tokenizer);
            var text = begun;
            foreach (var id in tokenizer.Encode(begun))
                constraint.Accept(id);
            var random = new Random(seed);
            for (var left = 200; Allowed(constraint, tokenizer, left) is { } allowed; left--)
            {
                Assert.NotEmpty(allowed);
                var id = allowed[random.Next(allowed.Count)];
                constraint.Accept(id);
                text += System.Text.Encoding.UTF8.GetString(tokenizer.TokenBytes(id));
            }
            var last = text.LastIndexOf("\"name\"", StringComparison.Ordinal);
            var call = JsonDocument.Parse(text[text.LastIndexOf('{', last)..]).RootElement;
            if (call.GetProperty("name").GetString() == "weather")
            {
                var arguments = call.TryGetProperty("arguments", out var given) ? given : call.GetProperty("parameters");
                Assert.Contains(arguments.GetProperty("city").GetString(), new[] { "Rome", "Oslo" });
            }
        }
    }

    [Theory]
    [InlineData("The sky is blue.")]
    [InlineData("{\"answer\": {\"arguments\": 1}}")]
    [InlineData("{\"name\": \"nobody\", \"arguments\": 5")]
    [InlineData("[1, 2, 3] \"arguments\"")]
    public void What_is_no_call_stays_free(string text)
    {
        var tokenizer = Loaded();
        var constraint = New(tokenizer);
        foreach (var id in tokenizer.Encode(text))
        {
            constraint.Accept(id);
            Assert.Null(Allowed(constraint, tokenizer, 100));
        }
    }

    private static StrictCallConstraint New(Tokenizer tokenizer) =>
        new(new StructuredOutput(tokenizer.VocabularySize, tokenizer, [2]).CompileStrictCall(JsonDocument.Parse(Tools).RootElement)!);

    // Null where everything is allowed.
    private static List<int>? Allowed(StrictCallConstraint constraint, Tokenizer tokenizer, int left)
    {
        var logits = new float[tokenizer.VocabularySize];
        constraint.Apply(logits, left);
        var allowed = Enumerable.Range(0, logits.Length).Where(id => !float.IsNegativeInfinity(logits[id])).ToList();
        return allowed.Count == logits.Length ? null : allowed;
    }

    private Tokenizer Loaded()
    {
        Assert.SkipWhen(_tokenizer is null, "shared/models/stories260K is not beside the repository.");
        return _tokenizer;
    }
}
