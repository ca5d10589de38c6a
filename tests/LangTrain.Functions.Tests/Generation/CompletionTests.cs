using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Generation;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Generation;

public sealed class CompletionTests
{
    private const string Model = "langtrain/tiny";

    [Fact]
    public async Task Text_finish_reason_and_usage_come_back()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => ScriptedGenerationWorker.Answer(item, "once upon a time", "length");
        var answer = await app.Client.PostAsync("completions", new { model = Model, prompt = "abc", max_tokens = 5, stop = Array.Empty<string>(), temperature = 0 }).JsonAsync();
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal("once upon a time", choice.Text("text"));
        Assert.Equal("length", choice.Text("finish_reason"));
        Assert.Equal("text_completion", answer.Text("object"));
        Assert.Equal(3 + 4, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal(0, app.Worker.Requests.Single().Temperature);
    }

    [Fact]
    public async Task Stream_is_what_both_kinds_of_readers_expect()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => ScriptedGenerationWorker.Answer(item, "once upon a time");
        var lines = await StreamLinesAsync(app, "completions", new { model = Model, prompt = "x", stream = true, stream_options = new { include_usage = true } });

        // As the reference's sample reads it: every line that begins with "data: " is JSON with a delta.
        var chunks = lines.Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => JsonElement.Parse(line[6..])).ToArray();
        var withChoices = chunks.Where(chunk => chunk.GetProperty("choices").GetArrayLength() > 0).Select(chunk => chunk.GetProperty("choices")[0]).ToArray();
        var joined = string.Concat(withChoices.Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
        Assert.Equal("once upon a time", joined);
        Assert.Equal("once upon a time", string.Concat(withChoices.Select(choice => choice.Text("text"))));
        Assert.Equal("data:[DONE]", lines.Last(line => line.Length > 0));
        Assert.Single(chunks.Select(chunk => (chunk.Text("id"), chunk.GetProperty("created").GetInt64(), chunk.Text("model"))).Distinct());
        Assert.Equal("stop", withChoices[^1].Text("finish_reason"));
        Assert.Equal(5, chunks[^1].GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
    }

    [Fact]
    public async Task Failure_before_the_first_chunk_has_its_own_status_and_a_later_one_comes_inside_the_stream()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = _ => [Failure(400, "context_length_exceeded")];
        var error = await app.Client.PostAsync("completions", new { model = Model, prompt = "x", stream = true }).ErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal("context_length_exceeded", error.Text("code"));

        app.Worker.Script = item => [.. ScriptedGenerationWorker.Answer(item, "two words").Take(2), Failure(503, "overloaded")];
        var lines = await StreamLinesAsync(app, "completions", new { model = Model, prompt = "x", stream = true });
        var last = JsonElement.Parse(lines.Last(line => line.Length > 0)["data: ".Length..]);
        Assert.Equal("overloaded", last.GetProperty("error").Text("code"));
        Assert.DoesNotContain("data:[DONE]", lines);
    }

    [Fact]
    public async Task Client_that_leaves_stops_the_work()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = Endless;
        using var request = new HttpRequestMessage(HttpMethod.Post, "completions") { Content = JsonContent.Create(new { model = Model, prompt = "x", stream = true }) };
        var response = await app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var stream = await response.Content.ReadAsStreamAsync();
        await stream.ReadExactlyAsync(new byte[64]);
        response.Dispose();
        await WaitUntilAsync(() => app.Worker.Abandoned == 1);
    }

    [Fact]
    public async Task Prompts_may_be_text_texts_or_token_ids()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => ScriptedGenerationWorker.Answer(item, item.Prompt ?? "ids:" + string.Join(',', item.PromptIds!));
        Assert.Equal(["a", "a", "b", "b"], await TextsAsync(app, new[] { "a", "b" }, 2));
        Assert.Equal(["ids:1,2"], await TextsAsync(app, new[] { 1, 2 }, 1));
        Assert.Equal(["ids:1,2", "ids:3"], await TextsAsync(app, new[] { new[] { 1, 2 }, [3] }, 1));
        await app.Client.PostAsync("completions", new { model = Model, prompt = new object[] { "a", 5 } }).ErrorAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Batch_keeps_the_order_sums_the_usage_and_a_bad_prompt_fails_alone()
    {
        await using var app = await TestApp.StartAsync();
        app.Worker.Script = item => item.Prompt == "long" ? [Failure(400, "context_length_exceeded")] : ScriptedGenerationWorker.Answer(item, item.Prompt + "!");
        var answer = await app.Client.PostAsync("batch/completions", new { model = Model, prompts = new object[] { "a", "long", 7, "bcd" }, batch_size = 4 }).JsonAsync();
        var choices = answer.GetProperty("choices").EnumerateArray().ToArray();
        Assert.Equal(["a!", "", "", "bcd!"], choices.Select(choice => choice.Text("text")));
        Assert.Equal([0, 1, 2, 3], choices.Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal("context_length_exceeded", choices[1].GetProperty("error").Text("code"));
        Assert.Equal("prompts[2]", choices[2].GetProperty("error").Text("param"));
        Assert.Equal("stop", choices[3].Text("finish_reason"));
        Assert.Equal(1 + 3, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Every_parameter_of_OpenAI_is_honoured_or_refused_by_name()
    {
        await using var app = await TestApp.StartAsync();
        await app.Client.PostAsync("completions", new
        {
            model = Model, prompt = "x", best_of = 2, n = 2, echo = true, frequency_penalty = 0.5, presence_penalty = -1, logit_bias = new { _5 = 1 }, logprobs = 3,
            max_tokens = 0, seed = 7, stop = "end", suffix = (string?)null, temperature = 0.3, top_p = 0.5, user = "me",
        }).ErrorAsync(HttpStatusCode.BadRequest); // "_5" is no token id
        await app.Client.PostAsync("completions", new
        {
            model = Model, prompt = "x", n = 2, echo = true, frequency_penalty = 0.5, presence_penalty = -1, logprobs = 3,
            logit_bias = new Dictionary<string, int> { ["5"] = 1 }, max_tokens = 0, seed = 7, stop = "end", temperature = 0.3, top_p = 0.5, user = "me",
        }).JsonAsync();
        var item = app.Worker.Requests.Single();
        Assert.Equal((0.5, -1.0, 0.3, 0.5, 7L, 2, true, 3, 0), (item.FrequencyPenalty, item.PresencePenalty, item.Temperature, item.TopP, item.Seed!.Value, item.N, item.Echo, item.TopLogprobs, item.MaxTokens!.Value));
        Assert.Equal(("end", 1.0), (item.Stop.Single(), item.LogitBias![5]));
        foreach (var name in (string[])["suffix", "best_of"])
        {
            var body = new Dictionary<string, object> { ["model"] = Model, ["prompt"] = "x", [name] = name == "suffix" ? "y" : 3 };
            var error = await app.Client.PostAsync("completions", body).ErrorAsync(HttpStatusCode.BadRequest);
            Assert.Equal((name, "unsupported_parameter"), (error.Text("param"), error.Text("code")));
        }
    }

    [Fact]
    public async Task Logprobs_have_OpenAIs_lists()
    {
        await using var app = await TestApp.StartAsync();
        var token = new TokenLogprob(5, "he", [104, 101], -0.5, [new TokenLogprob(5, "he", [104, 101], -0.5), new TokenLogprob(6, "a", [97], double.NegativeInfinity)]);
        app.Worker.Script = _ =>
        [
            new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = 1 },
            new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "he", Logprobs = [token with { Logprob = null, Top = null }] },
            new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "he", Logprobs = [token with { Offset = 2 }] },
            new GenerationUpdate { Type = GenerationUpdate.Finished, FinishReason = "stop" },
            new GenerationUpdate { Type = GenerationUpdate.Usage, PromptTokens = 1, CompletionTokens = 1 },
        ];
        var logprobs = (await app.Client.PostAsync("completions", new { model = Model, prompt = "he", echo = true, logprobs = 2 }).JsonAsync())
            .GetProperty("choices")[0].GetProperty("logprobs");
        Assert.Equal("{\"tokens\":[\"he\",\"he\"],\"token_logprobs\":[null,-0.5],\"top_logprobs\":[null,{\"he\":-0.5,\"a\":-9999}],\"text_offset\":[0,2]}", logprobs.GetRawText());
    }

    [Fact]
    public async Task Unknown_and_unready_models_and_absent_workers_are_told_apart()
    {
        await using var app = await TestApp.StartAsync();
        Assert.Equal("model_not_found", (await app.Client.PostAsync("completions", new { model = "no/such-model", prompt = "x" }).ErrorAsync(HttpStatusCode.NotFound)).Text("code"));
        await app.Models.UpsertAsync(Some.BaseModel("org/missing") with { Status = "weights_missing", StatusReason = "Bring them.", Weights = null });
        app.Service<LangTrain.Core.Models.ModelCatalog>().Refresh();
        using (var response = await app.Client.PostAsync("completions", new { model = "org/missing", prompt = "x" }))
        {
            Assert.Equal("false", response.Headers.GetValues("x-should-retry").Single());
            Assert.Equal("model_not_ready", (await Task.FromResult(response).ErrorAsync(HttpStatusCode.Conflict)).Text("code"));
        }

        app.Worker.Script = _ => throw new GenerationUnavailableException("down");
        using var unavailable = await app.Client.PostAsync("completions", new { model = Model, prompt = "x" });
        Assert.True(unavailable.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal("worker_unavailable", (await Task.FromResult(unavailable).ErrorAsync(HttpStatusCode.ServiceUnavailable)).Text("code"));
    }

    internal static async Task<string[]> StreamLinesAsync(TestApp app, string path, object body)
    {
        using var response = await app.Client.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return (await response.Content.ReadAsStringAsync()).Split('\n');
    }

    private static async Task<string[]> TextsAsync(TestApp app, object prompt, int n) =>
        [.. (await app.Client.PostAsync("completions", new { model = Model, prompt, n }).JsonAsync()).GetProperty("choices").EnumerateArray().Select(choice => choice.Text("text"))];

    private static GenerationUpdate Failure(int status, string code) => new() { Type = GenerationUpdate.Failed, Error = new GenerationFailure(status, code, "No.") };

    internal static IEnumerable<GenerationUpdate> Endless(GenerateWorkItem item)
    {
        yield return new GenerationUpdate { Type = GenerationUpdate.Started, PromptTokens = 1 };
        while (true)
        {
            Thread.Sleep(1);
            yield return new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "and so on " };
        }
    }

    internal static async Task WaitUntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 400 && !holds(); i++)
        {
            await Task.Delay(10);
        }

        Assert.True(holds());
    }
}
