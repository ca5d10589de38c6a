using System.Text.Json;

namespace LangTrain.Inference.Tests.Text;

/// <summary>Chats over the real weights with a template written here; what the model says is nonsense, how it is said is what is tested.</summary>
[Collection(TensorCounts.Name)]
public sealed class ChatTests : IAsyncLifetime
{
    private const string Template =
        "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if tools %}tools: {{ tools | tojson }}\n{% endif %}{% if add_generation_prompt %}assistant:{% endif %}";

    private const string Tools = """
        [{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"enum":["Rome","Oslo"]},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city"]}}},
         {"type":"function","function":{"name":"time"}}]
        """;

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "langtrain-chat-" + Guid.NewGuid().ToString("N"));
    private ModelHost _host = null!;
    private ModelLease _lease = null!;

    public async ValueTask InitializeAsync()
    {
        if (Some.Stories260K is not { } stories)
        {
            Assert.Skip("shared/models/stories260K is not beside the repository.");
            return;
        }
        Directory.CreateDirectory(_folder);
        foreach (var file in Directory.GetFiles(stories))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        await File.WriteAllTextAsync(Path.Combine(_folder, "chat_template.jinja"), Template);
        _host = new ModelHost(new ModelHostOptions { Engine = new EngineOptions { MaxRows = 2 } });
        _lease = await _host.AcquireAsync("chat", _folder);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_chat_is_rendered_by_the_models_template()
    {
        var request = Chat("Tell me </s> a story.");
        var prompt = _lease.Model.Generator.EncodePrompt(request);
        Assert.Equal("user: Tell me </s> a story.\nassistant:", _lease.Model.Tokenizer.Decode(prompt));
        Assert.Equal(_lease.Model.Tokenizer.BosTokenId, prompt[0]);
        Assert.DoesNotContain(_lease.Model.Tokenizer.EosTokenId!.Value, prompt); // What a user writes becomes no special token.
        var result = await _lease.Model.Generator.CompleteAsync(request);
        Assert.Equal(prompt.Count, result.Usage.PromptTokens);
        Assert.NotEmpty(result.Choices[0].Text);
    }

    [Theory]
    [InlineData("required")]
    [InlineData("function")]
    public async Task A_call_that_must_be_made_is_made_with_valid_arguments(string mode)
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var updates = await _lease.Model.Generator.GenerateAsync(Chat("hi") with
            {
                Tools = JsonDocument.Parse(Tools).RootElement,
                ToolChoice = mode == "required" ? ToolChoice.Required : ToolChoice.Function("weather"),
                Sampling = new SamplingOptions { Seed = seed, Temperature = 1.3f },
                MaxNewTokens = 120,
            }).ListAsync();
            Assert.Equal("", string.Concat(updates.Select(u => u.Text)));
            var last = updates[^2];
            Assert.Equal(FinishReason.ToolCalls, last.FinishReason);
            var call = Assert.Single(last.ToolCalls!);
            if (mode == "function")
                Assert.Equal("weather", call.Name);
            using var arguments = JsonDocument.Parse(call.Arguments);
            if (call.Name == "weather")
                Assert.Contains(arguments.RootElement.GetProperty("city").GetString(), new[] { "Rome", "Oslo" });
        }
    }

    [Fact]
    public async Task With_tools_and_a_format_an_answer_is_a_call_or_has_the_format()
    {
        var (calls, texts) = (0, 0);
        // What a model of stories would begin with: some of these keys are likelier than a call's, some are not.
        foreach (var (seed, key) in new[] { "n", "the", "once", "a", "he", "she", "they", "it" }.Index())
        {
            var choice = (await _lease.Model.Generator.CompleteAsync(Chat("hi") with
            {
                Tools = JsonDocument.Parse(Tools).RootElement,
                ResponseFormat = ResponseFormat.JsonSchema(JsonDocument.Parse($$$"""{"type":"object","properties":{"{{{key}}}":{"type":"integer"}},"required":["{{{key}}}"]}""").RootElement),
                Sampling = new SamplingOptions { Seed = seed, Temperature = 2 },
                MaxNewTokens = 120,
            })).Choices[0];
            if (choice.ToolCalls is not null)
                calls++;
            else if (JsonDocument.Parse(choice.Text).RootElement.GetProperty(key).TryGetInt64(out _))
                texts++;
        }
        Assert.Equal(8, calls + texts);
        Assert.True(calls > 0 && texts > 0, $"{calls} calls, {texts} texts");
    }

    [Fact]
    public void Wrong_tool_parameters_are_refused_by_name()
    {
        var tools = JsonDocument.Parse(Tools).RootElement;
        foreach (var (request, parameter) in new (TextGenerationRequest, string)[]
        {
            (Chat("x") with { Tools = tools, ToolChoice = ToolChoice.Function("moon") }, "tool_choice"),
            (Chat("x") with { ToolChoice = ToolChoice.Required }, "tool_choice"),
            (new TextGenerationRequest { Prompt = "x", Tools = tools }, "tools"),
        })
            Assert.Equal(parameter, Assert.Throws<GenerationParameterException>(() => _lease.Model.Generator.GenerateAsync(request)).Parameter);
    }

    [Fact]
    public async Task Characters_spread_over_tokens_come_out_whole()
    {
        // The vocabulary has no such characters: each is four or three single bytes.
        const string Text = "😀漢é👩‍🚀";
        var updates = await _lease.Model.Generator.GenerateAsync(Chat("hi") with
        {
            ResponseFormat = ResponseFormat.JsonSchema(JsonDocument.Parse($$"""{"enum":["{{Text}}"]}""").RootElement),
            TopLogProbabilities = 1,
        }).ListAsync();
        Assert.Equal($"\"{Text}\"", string.Concat(updates.Select(u => u.Text)));
        Assert.All(updates, u => Assert.DoesNotContain('\uFFFD', u.Text));
        Assert.All(updates, u => Assert.Equal(u.Text, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(u.Text))));
        var tokens = updates.SelectMany(u => u.LogProbabilities ?? []).ToList();
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes($"\"{Text}\""), tokens.SelectMany(t => t.Bytes));
        Assert.Contains(tokens, t => t.Text.StartsWith("bytes:\\x", StringComparison.Ordinal));
    }

    private static TextGenerationRequest Chat(string content) => new()
    {
        Messages = JsonSerializer.SerializeToElement(new[] { new Dictionary<string, string> { ["role"] = "user", ["content"] = content } }),
        MaxNewTokens = 40,
        Sampling = SamplingOptions.Greedy,
    };
}
