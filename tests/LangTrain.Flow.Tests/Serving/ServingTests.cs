using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Flow.Tests.Clients;

namespace LangTrain.Flow.Tests.Serving;

/// <summary>Serving through the app and the worker over real sockets: load, adapters side by side, clients that go away, metrics.</summary>
[Collection(SharedHost.Collection)]
public sealed class ServingTests : IDisposable
{
    private const string GeneratedTokens = "langtrain_inference_generated_tokens_total";

    private readonly SharedHost _shared;
    private readonly HttpClient _client;

    public ServingTests(SharedHost shared)
    {
        _shared = shared;
        _client = new HttpClient { BaseAddress = shared.Host.BaseUrl, Timeout = TimeSpan.FromMinutes(2) };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shared.Host.ApiKey);
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Sixty_four_streams_at_once_all_end_alike_and_none_stands_still()
    {
        string[] prompts = ["Once upon a time", "The sky is", "Tom and Anna", "A red ball", "In the garden", "My name is", "One two three", "The dog"];
        var alone = new string[prompts.Length];
        for (var i = 0; i < prompts.Length; i++)
        {
            alone[i] = (await StreamAsync(Wish(TinyModel.Id, prompts[i], 48))).Text;
        }

        var clock = Stopwatch.StartNew();
        var streams = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => StreamAsync(Wish(TinyModel.Id, prompts[i % prompts.Length], 48))));
        var all = clock.Elapsed;

        Assert.All(streams.Index(), pair => Assert.Equal(alone[pair.Index % prompts.Length], pair.Item.Text));
        // Once it has its first token, a stream is given a token in every step, whatever else runs.
        Assert.All(streams, stream => Assert.True(stream.LongestGap < all / 2, $"a gap of {stream.LongestGap} in {all}"));
    }

    [Fact]
    public async Task Answers_of_several_adapters_in_one_batch_equal_those_given_alone()
    {
        var models = new List<string> { TinyModel.Id };
        models.AddRange(await Task.WhenAll(TrainAsync(4, dora: false), TrainAsync(16, dora: true)));
        var wishes = (from model in models from prompt in (string[])["The capital of country number 3 is", "Once upon a time", "The sky is"] from seed in (int?[])[null, 7] select Wish(model, prompt, 24, seed)).ToArray();
        var alone = new List<string>();
        foreach (var wish in wishes)
        {
            alone.Add((await StreamAsync(wish)).Text);
        }

        var together = await Task.WhenAll(wishes.Concat(wishes).Select(StreamAsync));

        Assert.All(together.Index(), pair => Assert.Equal(alone[pair.Index % wishes.Length], pair.Item.Text));
        // The adapters do say different things.
        Assert.NotEqual(alone[..6], alone[6..12]);
        Assert.NotEqual(alone[6..12], alone[12..]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_goes_away_stops_its_rows(bool streams)
    {
        using var page = WorkerPage.Of(_shared.Host);
        var before = await page.ValueAsync(GeneratedTokens);
        var wish = Wish(TinyModel.Id, "Once upon a time", 480);
        (wish["n"], wish["stream"]) = (128, streams);
        wish["logit_bias"] = new JsonObject { ["1"] = -100, ["3"] = -100 };
        using var gone = new CancellationTokenSource();
        using (var request = new HttpRequestMessage(HttpMethod.Post, "completions") { Content = JsonContent.Create(wish) })
        {
            var sending = _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, gone.Token);
            while (await page.ValueAsync(GeneratedTokens) < before + 16)
            {
                await Task.Delay(5);
            }

            await gone.CancelAsync();
            await Record.ExceptionAsync(async () => (await sending).Dispose());
        }

        var (last, now) = (-1.0, await page.ValueAsync(GeneratedTokens));
        var queued = await page.ValueAsync("langtrain_inference_queue_length");
        for (var patience = Stopwatch.StartNew(); (now != last || queued > 0) && patience.Elapsed < TimeSpan.FromSeconds(20);)
        {
            await Task.Delay(150);
            (last, now, queued) = (now, await page.ValueAsync(GeneratedTokens), await page.ValueAsync("langtrain_inference_queue_length"));
        }

        Assert.True(now == last && now - before < 128 * 480 / 2, $"{now - before} tokens were made");
        Assert.Equal(0, queued);
    }

    [Fact]
    public async Task What_the_engine_measures_can_be_scraped()
    {
        await StreamAsync(Wish(TinyModel.Id, "The sky is", 4));
        using var page = WorkerPage.Of(_shared.Host);
        var text = await page.ReadAsync();
        foreach (var name in (string[])
        [
            "langtrain_inference_time_to_first_token_seconds_bucket", "langtrain_inference_inter_token_time_seconds_bucket", GeneratedTokens,
            "langtrain_inference_batch_size", "langtrain_inference_kv_cache_use", "langtrain_inference_queue_length", "langtrain_inference_queue_time_seconds_count",
        ])
        {
            Assert.Contains("\n" + name, text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(_shared.Host.ApiKey, text, StringComparison.Ordinal);
    }

    private static JsonObject Wish(string model, string prompt, int maxTokens, int? seed = null) => new()
    {
        ["model"] = model, ["prompt"] = prompt, ["max_tokens"] = maxTokens, ["temperature"] = seed is null ? 0 : 1, ["seed"] = seed, ["stream"] = true,
    };

    private async Task<string> TrainAsync(int rank, bool dora)
    {
        var file = await _shared.Host.Api.UploadAsync(TinyModel.Rows(16));
        var job = TinyModel.Job(file);
        job["config"]!["lora_config"] = new JsonObject { ["r"] = rank, ["use_dora"] = dora };
        job["config"]!["training_config"] = new JsonObject { ["max_steps"] = 4, ["batch_size"] = 4, ["learning_rate"] = 2e-2 };
        var id = (await _shared.Host.Api.PostAsync("fine-tunes", job))["id"]!.GetValue<string>();
        return (await _shared.Host.Api.WaitForJobAsync(id, TimeSpan.FromMinutes(3), "completed"))["fine_tuned_model"]!.GetValue<string>();
    }

    private async Task<(string Text, TimeSpan LongestGap)> StreamAsync(JsonObject wish)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "completions") { Content = JsonContent.Create(wish) };
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {(response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync())}");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var (text, gap, done) = ("", TimeSpan.Zero, false);
        Stopwatch? sinceLast = null;
        while (await reader.ReadLineAsync() is { } line)
        {
            done |= line == "data:[DONE]";
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
            {
                continue;
            }

            var chunk = JsonElement.Parse(line["data: ".Length..]);
            Assert.True(chunk.TryGetProperty("choices", out var choices), line);
            text += choices[0].GetProperty("text").GetString();
            gap = sinceLast is null || sinceLast.Elapsed < gap ? gap : sinceLast.Elapsed;
            sinceLast = Stopwatch.StartNew();
        }

        Assert.True(done, "The stream ended without its mark.");
        return (text, gap);
    }
}
