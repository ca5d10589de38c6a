using System.Net;
using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Generation;

public sealed class ChatTests
{
    private const string Model = "langtrain/tiny";
    private static readonly object[] Hello = [new { role = "user", content = "Hello" }];

    [Fact]
    public async Task Answer_has_OpenAIs_shape()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => ScriptedGenerationWorker.Answer(item, "Good day");
        var answer = await app.Client.PostAsync("chat/completions", new { model = Model, messages = Hello, max_tokens = 9, stream = false }).JsonAsync();
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal(("chat.completion", "stop"), (answer.Text("object"), choice.Text("finish_reason")));
        Assert.Equal("""{"role":"assistant","content":"Good day","refusal":null}""", choice.GetProperty("message").GetRawText());
        Assert.Equal(9, app.Worker.Requests.Single().MaxTokens);
    }

    [Fact]
    public async Task Stream_begins_with_the_role_and_ends_with_the_mark()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => ScriptedGenerationWorker.Answer(item, "Good day");
        var lines = await CompletionTests.StreamLinesAsync(app, "chat/completions", new { model = Model, messages = Hello, stream = true });
        var deltas = lines.Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => JsonElement.Parse(line[6..]).GetProperty("choices")[0]).ToArray();
        Assert.Equal("assistant", deltas[0].GetProperty("delta").Text("role"));
        Assert.Equal("Good day", string.Concat(deltas[1..^1].Select(choice => choice.GetProperty("delta").Text("content"))));
        Assert.Equal(JsonValueKind.Null, deltas[1].GetProperty("finish_reason").ValueKind);
        Assert.Equal("stop", deltas[^1].Text("finish_reason"));
        Assert.Equal("data:[DONE]", lines.Last(line => line.Length > 0));
    }

    [Fact]
    public async Task Messages_reach_the_template_in_one_plain_shape()
    {
        await using var app = await TestApp.StartAsync();
        var messages = new object[]
        {
            new { role = "developer", content = "Be brief." },
            new { role = "user", content = new object[] { new { type = "text", text = "a" }, new { type = "text", text = "b" } }, name = "Ada" },
            new { role = "assistant", content = (string?)null, tool_calls = new[] { new { id = "c1", type = "function", function = new { name = "f", arguments = "{}" } } }, refusal = (string?)null, annotations = Array.Empty<int>() },
            new { role = "tool", content = "5", tool_call_id = "c1" },
        };
        await app.Client.PostAsync("chat/completions", new { model = Model, messages }).JsonAsync();
        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"user","content":"ab","name":"Ada"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"5","tool_call_id":"c1"}]""",
            app.Worker.Requests.Single().Messages!.Value.GetRawText());
    }

    [Fact]
    public async Task Tool_calls_come_whole_and_in_chunks_with_an_index()
    {
        await using var app = await TestApp.StartAsync();
        var calls = JsonElement.Parse("""[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]""");
        app.Worker.Script = _ =>
        [
            new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = 1 },
            new GenerationUpdate { Type = GenerationUpdate.Finished, FinishReason = "tool_calls", ToolCalls = calls },
            new GenerationUpdate { Type = GenerationUpdate.Usage, PromptTokens = 1, CompletionTokens = 4 },
        ];
        var tools = new[] { new { type = "function", function = new { name = "f", parameters = new { type = "object" } } } };
        var message = (await app.Client.PostAsync("chat/completions", new { model = Model, messages = Hello, tools, tool_choice = "auto" }).JsonAsync()).GetProperty("choices")[0].GetProperty("message");
        Assert.Equal(JsonValueKind.Null, message.GetProperty("content").ValueKind);
        Assert.Equal("c1", message.GetProperty("tool_calls")[0].Text("id"));
        var lines = await CompletionTests.StreamLinesAsync(app, "chat/completions", new { model = Model, messages = Hello, tools, stream = true });
        Assert.Contains(lines, line => line.Contains("\"index\":0}]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tool_calls_stream_as_they_are_written_and_are_not_told_twice()
    {
        await using var app = await TestApp.StartAsync();
        static GenerationUpdate Piece(string json) => new() { Type = GenerationUpdate.ToolCallPiece, ToolCalls = JsonElement.Parse(json) };
        app.Worker.Script = _ =>
        [
            new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = 1 },
            Piece("""[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]"""),
            Piece("""[{"index":0,"function":{"arguments":"{}"}}]"""),
            new GenerationUpdate
            {
                Type = GenerationUpdate.Finished, FinishReason = "tool_calls",
                ToolCalls = JsonElement.Parse("""[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]"""),
            },
            new GenerationUpdate { Type = GenerationUpdate.Usage, PromptTokens = 1, CompletionTokens = 4 },
        ];
        var tools = new[] { new { type = "function", function = new { name = "f" } }, new { type = "function", function = new { name = "g" } } };
        var lines = await CompletionTests.StreamLinesAsync(app, "chat/completions", new { model = Model, messages = Hello, tools, stream = true, parallel_tool_calls = false });
        var deltas = lines.Where(line => line.Contains("tool_calls\":[", StringComparison.Ordinal)).Select(line => JsonElement.Parse(line[6..]).GetProperty("choices")[0].GetProperty("delta").GetProperty("tool_calls")[0]);
        Assert.Equal([(0, "c1", ""), (0, null, "{}"), (1, "c2", "{}")], deltas.Select(call =>
            (call.GetProperty("index").GetInt32(), call.TryGetProperty("id", out var id) ? id.GetString() : null, call.GetProperty("function").Text("arguments"))));
        Assert.False(app.Worker.Requests.Single().ParallelToolCalls);
    }

    [Theory]
    [InlineData("""{"messages":[]}""", "messages")]
    [InlineData("""{"messages":[{"role":"king","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]}""", "messages[0].content[0].type")]
    [InlineData("""{"messages":[{"role":"tool","content":"x"}]}""", "messages[0].tool_call_id")]
    [InlineData("""{"functions":[]}""", "functions")]
    [InlineData("""{"reasoning_effort":"high"}""", "reasoning_effort")]
    [InlineData("""{"store":true}""", "store")]
    [InlineData("""{"modalities":["audio"]}""", "modalities")]
    [InlineData("""{"top_logprobs":2}""", "top_logprobs")]
    [InlineData("""{"tool_choice":"required"}""", "tool_choice")]
    [InlineData("""{"response_format":{"type":"json_schema"}}""", "response_format.json_schema")]
    [InlineData("""{"stream_options":{"include_usage":true}}""", "stream_options")]
    [InlineData("""{"max_tokens":5,"max_completion_tokens":6}""", "max_tokens")]
    public async Task Bad_parameter_is_named(string part, string param)
    {
        await using var app = await TestApp.StartAsync();
        var body = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(part)!;
        body.TryAdd("model", JsonSerializer.SerializeToElement(Model));
        body.TryAdd("messages", JsonSerializer.SerializeToElement(Hello));
        var error = await app.Client.PostAsync("chat/completions", body).ErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal(param, error.Text("param"));
    }

    [Fact]
    public async Task Model_without_template_does_not_chat()
    {
        await using var app = await TestApp.StartAsync();
        await app.Models.UpsertAsync(Some.BaseModel() with { SupportedTasks = ["completion"] });
        app.Service<LangTrain.Core.Models.ModelCatalog>().Refresh();
        Assert.Equal("chat_not_supported", (await app.Client.PostAsync("chat/completions", new { model = Model, messages = Hello }).ErrorAsync(HttpStatusCode.BadRequest)).Text("code"));
    }

    [Fact]
    public async Task Tokens_can_be_counted_and_turned_back()
    {
        await using var app = await TestApp.StartAsync();
        var counted = await app.Client.PostAsync("tokenize", new { model = Model, text = "abc" }).JsonAsync();
        Assert.Equal((3, 97), (counted.GetProperty("count").GetInt32(), counted.GetProperty("ids")[0].GetInt32()));
        Assert.Equal("abc", (await app.Client.PostAsync("detokenize", new { model = Model, ids = new[] { 97, 98, 99 } }).JsonAsync()).Text("text"));
        await app.Client.PostAsync("tokenize", new { model = Model, text = "a", messages = Hello }).ErrorAsync(HttpStatusCode.BadRequest);
    }
}
