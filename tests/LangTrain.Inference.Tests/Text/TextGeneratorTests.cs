using System.Text.Json;
using LangTrain.Modeling;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference.Tests.Text;

/// <summary>Text from the real 260K-parameter weights, where they lie beside the repository.</summary>
public sealed class TextGeneratorTests : IAsyncLifetime
{
    private DecoderModel? _model;
    private GenerationEngine? _engine;
    private TextGenerator? _generator;

    private TextGenerator Generator => _generator!;

    public ValueTask InitializeAsync()
    {
        if (Some.Stories260K is not { } folder)
        {
            Assert.Skip("shared/models/stories260K is not beside the repository.");
            return ValueTask.CompletedTask;
        }
        _model = DecoderModel.Load(folder);
        _engine = new GenerationEngine(_model, new EngineOptions { MaxRows = 4 });
        _generator = new TextGenerator(_engine, Tokenizer.Load(folder), null, _model.Config.EosTokenIds);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
            await _engine.DisposeAsync();
        _model?.Dispose();
    }

    [Fact]
    public async Task Greedy_text_equals_the_golden_text()
    {
        using var golden = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Some.Stories260K!, "golden.json")));
        foreach (var item in golden.RootElement.EnumerateArray())
        {
            var request = Greedy(item.GetProperty("prompt").GetString()!) with { Echo = true };
            // The reference program runs this many positions, the prompt's included; each gives the token after it.
            request = request with { MaxNewTokens = item.GetProperty("positions").GetInt32() + 1 - Generator.EncodePrompt(request).Count };
            var result = await Generator.CompleteAsync(request);
            Assert.Equal(item.GetProperty("text").GetString(), result.Choices[0].Text);
            Assert.Equal(FinishReason.Length, result.Choices[0].FinishReason);
            Assert.Equal(request.MaxNewTokens, result.Usage.CompletionTokens);
        }
    }

    [Fact]
    public async Task A_stop_string_across_tokens_ends_the_text_before_it()
    {
        var free = (await Generator.CompleteAsync(Greedy("Once upon a time") with { MaxNewTokens = 60 })).Choices[0].Text;
        foreach (var stop in new[] { "to play", "e loved t", ". She", "Lily" })
        {
            var updates = await Generator.GenerateAsync(Greedy("Once upon a time") with { MaxNewTokens = 60, Stop = ["never said", stop] }).ListAsync();
            Assert.Equal(free[..free.IndexOf(stop, StringComparison.Ordinal)], string.Concat(updates.Select(u => u.Text)));
            Assert.Equal(FinishReason.Stop, updates[^2].FinishReason);
            Assert.True(updates[^1].Usage!.CompletionTokens < 60);
        }
    }

    [Fact]
    public async Task Choices_differ_by_seed_and_each_is_what_it_is_alone()
    {
        var request = Greedy("The cat") with { MaxNewTokens = 20, ChoiceCount = 3, Sampling = new SamplingOptions { Seed = 42, Temperature = 1.2f, TopP = 0.95f } };
        var together = await Generator.CompleteAsync(request);
        var again = await Generator.CompleteAsync(request);
        var one = await Generator.CompleteAsync(request with { ChoiceCount = 1 });
        Assert.Equal(together.Choices.Select(c => c.Text), again.Choices.Select(c => c.Text));
        Assert.Equal(3, together.Choices.Select(c => c.Text).Distinct().Count());
        Assert.Equal(one.Choices[0].Text, together.Choices[0].Text);
        Assert.Equal(60, together.Usage.CompletionTokens);
        Assert.Equal(one.Usage.PromptTokens, together.Usage.PromptTokens);
    }

    [Fact]
    public async Task Log_probabilities_line_up_with_the_text_and_echo_covers_the_prompt()
    {
        var request = Greedy("The cat") with { MaxNewTokens = 12, Echo = true, TopLogProbabilities = 2 };
        var result = await Generator.CompleteAsync(request);
        var (text, tokens) = (result.Choices[0].Text, result.Choices[0].LogProbabilities!);
        Assert.StartsWith("The cat", text, StringComparison.Ordinal);
        Assert.Equal(result.Usage.TotalTokens, tokens.Count);
        Assert.Null(tokens[0].LogProbability);
        foreach (var token in tokens.Skip(result.Usage.PromptTokens))
        {
            Assert.Equal(token.Text, text.Substring(token.TextOffset, token.Text.Length));
            Assert.Equal(token.TokenId, token.Top[0].TokenId); // Greedy takes the most likely.
            Assert.Equal(token.LogProbability!.Value, token.Top[0].LogProbability, 1e-5);
            Assert.True(token.Top[1].LogProbability <= token.Top[0].LogProbability);
        }
        // Reading the prompt alone gives its log-probabilities too.
        var read = await Generator.CompleteAsync(request with { MaxNewTokens = 0 });
        Assert.Equal("The cat", read.Choices[0].Text);
        Assert.Equal(tokens.Take(result.Usage.PromptTokens).Select(t => t.TokenId), read.Choices[0].LogProbabilities!.Select(t => t.TokenId));
        Assert.Equal(0, read.Usage.CompletionTokens);
    }

    [Fact]
    public async Task A_stop_string_takes_its_tokens_log_probabilities_with_it()
    {
        var free = await Generator.CompleteAsync(Greedy("The cat") with { MaxNewTokens = 30, TopLogProbabilities = 0 });
        var stopped = await Generator.CompleteAsync(Greedy("The cat") with { MaxNewTokens = 30, TopLogProbabilities = 0, Stop = ["playing"] });
        var text = stopped.Choices[0].Text;
        Assert.DoesNotContain("playing", text, StringComparison.Ordinal);
        Assert.Equal(
            free.Choices[0].LogProbabilities!.TakeWhile(t => t.TextOffset < text.Length).Select(t => t.TokenId),
            stopped.Choices[0].LogProbabilities!.Select(t => t.TokenId));
    }

    [Fact]
    public async Task A_schema_holds_the_answer()
    {
        var schema = JsonDocument.Parse("""{"type":"object","properties":{"name":{"type":"string","maxLength":8},"age":{"type":"integer","minimum":1,"maximum":99}},"required":["name","age"]}""");
        var result = await Generator.CompleteAsync(Greedy("The cat") with
        {
            MaxNewTokens = 60,
            ChoiceCount = 4,
            Sampling = new SamplingOptions { Temperature = 1.5f, Seed = 3 },
            ResponseFormat = ResponseFormat.JsonSchema(schema.RootElement),
        });
        foreach (var choice in result.Choices)
        {
            using var answer = JsonDocument.Parse(choice.Text);
            Assert.InRange(answer.RootElement.GetProperty("age").GetInt32(), 1, 99);
            Assert.InRange(answer.RootElement.GetProperty("name").GetString()!.EnumerateRunes().Count(), 0, 8);
            Assert.Equal(FinishReason.Stop, choice.FinishReason);
        }
        var any = await Generator.CompleteAsync(Greedy("The cat") with { MaxNewTokens = 40, ResponseFormat = ResponseFormat.JsonObject, Sampling = new SamplingOptions { Seed = 9 } });
        JsonDocument.Parse(any.Choices[0].Text).Dispose();
    }

    [Theory]
    [InlineData("n")]
    [InlineData("stop")]
    [InlineData("prompt")]
    [InlineData("temperature")]
    [InlineData("response_format")]
    [InlineData("messages")]
    public void What_is_refused_is_named_before_anything_runs(string parameter)
    {
        var request = parameter switch
        {
            "n" => Greedy("a") with { ChoiceCount = 0 },
            "stop" => Greedy("a") with { Stop = [""] },
            "prompt" => Greedy("a") with { PromptTokens = [1] },
            "temperature" => Greedy("a") with { Sampling = new SamplingOptions { Temperature = 3 } },
            "response_format" => Greedy("a") with { ResponseFormat = ResponseFormat.JsonSchema(JsonDocument.Parse("""{"not":{}}""").RootElement) },
            _ => new TextGenerationRequest { Messages = JsonDocument.Parse("[]").RootElement },
        };
        Assert.Equal(parameter, Assert.Throws<GenerationParameterException>(() => Generator.GenerateAsync(request)).Parameter);
    }

    private static TextGenerationRequest Greedy(string prompt) => new() { Prompt = prompt, Sampling = SamplingOptions.Greedy };
}
