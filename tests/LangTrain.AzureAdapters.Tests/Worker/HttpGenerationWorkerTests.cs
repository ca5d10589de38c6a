using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using LangTrain.AzureAdapters.Worker;
using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Generation;
using LangTrain.Testing;
using Microsoft.AspNetCore.Http;

namespace LangTrain.AzureAdapters.Tests.Worker;

public sealed class HttpGenerationWorkerTests
{
    private static readonly GenerateWorkItem Item = new()
    {
        RequestId = "req-1", AccountId = Some.AccountId, Target = new GenerationTarget("m", Some.Source("m")), Prompt = "Hi",
    };

    [Fact]
    public async Task Updates_arrive_as_they_are_made_and_the_request_is_whole()
    {
        var second = new TaskCompletionSource();
        GenerateWorkItem? got = null;
        await using var server = await LocalServer.StartAsync(async http =>
        {
            Assert.Equal((WorkerRoutes.Generate, "Bearer k"), (http.Request.Path.Value, http.Request.Headers.Authorization.ToString()));
            got = await JsonSerializer.DeserializeAsync(http.Request.Body, LangTrainJson.Default.GenerateWorkItem);
            await WriteAsync(http, new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "ü\n" });
            await second.Task;
            await WriteAsync(http, new GenerationUpdate { Type = GenerationUpdate.Usage, PromptTokens = 1, CompletionTokens = 2 });
        });
        using var worker = new HttpGenerationWorker(server.Address, "k");

        await using var updates = worker.GenerateAsync(Item).GetAsyncEnumerator();
        Assert.True(await updates.MoveNextAsync());
        Assert.Equal("ü\n", updates.Current.Text);
        second.SetResult();
        Assert.True(await updates.MoveNextAsync());
        Assert.Equal(2, updates.Current.CompletionTokens);
        Assert.False(await updates.MoveNextAsync());
        Assert.Equal(("Hi", "m"), (got!.Prompt, got.Target.Base.Folder));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Breaking_off_closes_the_connection(bool byCancellation)
    {
        var gone = new TaskCompletionSource();
        await using var server = await LocalServer.StartAsync(async http =>
        {
            using var aborted = http.RequestAborted.Register(gone.SetResult);
            await WriteAsync(http, new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "a" });
            await gone.Task;
        });
        using var worker = new HttpGenerationWorker(server.Address, "k");
        using var stop = new CancellationTokenSource();
        await using (var updates = worker.GenerateAsync(Item, stop.Token).GetAsyncEnumerator())
        {
            await updates.MoveNextAsync();
            if (byCancellation)
            {
                await stop.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await updates.MoveNextAsync());
            }
        }

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("half a line")]
    [InlineData("a whole line and no end")]
    [InlineData("an abort")]
    public async Task A_stream_that_breaks_off_is_unavailable(string how)
    {
        await using var server = await LocalServer.StartAsync(async http =>
        {
            await WriteAsync(http, new GenerationUpdate { Type = GenerationUpdate.TextPiece, Text = "a" });
            if (how == "half a line")
            {
                await http.Response.WriteAsync("{\"type\":\"te");
            }
            else if (how == "an abort")
            {
                http.Abort();
            }
        });
        using var worker = new HttpGenerationWorker(server.Address, "k");

        await Assert.ThrowsAsync<GenerationUnavailableException>(() => worker.GenerateAsync(Item).ToListAsync().AsTask());
    }

    [Theory]
    [InlineData(401)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_answer_without_the_workers_word_is_unavailable(int status)
    {
        await using var server = await LocalServer.StartAsync(http =>
        {
            http.Response.StatusCode = status;
            return http.Response.WriteAsync("<html>");
        });
        using var worker = new HttpGenerationWorker(server.Address, "k");

        await Assert.ThrowsAsync<GenerationUnavailableException>(() => worker.GenerateAsync(Item).ToListAsync().AsTask());
        await Assert.ThrowsAsync<GenerationUnavailableException>(() => worker.TokenizeAsync(Tokenize));
    }

    [Fact]
    public async Task The_workers_own_refusal_is_handed_on()
    {
        var refusal = new GenerationFailure(503, "overloaded", "Too much to do.", RetryAfterSeconds: 3);
        await using var server = await LocalServer.StartAsync(http =>
        {
            http.Response.StatusCode = 503;
            return http.Response.WriteAsJsonAsync(refusal, LangTrainJson.Default.GenerationFailure);
        });
        using var worker = new HttpGenerationWorker(server.Address, "k");

        Assert.Equal(refusal, Assert.Single(await worker.GenerateAsync(Item).ToListAsync()).Error);
        Assert.Equal(refusal, (await Assert.ThrowsAsync<GenerationFailedException>(() => worker.TokenizeAsync(Tokenize))).Failure);
    }

    [Fact]
    public async Task Nobody_there_or_nobody_set_up_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var free = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var worker = new HttpGenerationWorker(new Uri($"http://127.0.0.1:{free}"), "k");
        using var none = new HttpGenerationWorker(null, null);

        await Assert.ThrowsAsync<GenerationUnavailableException>(() => worker.GenerateAsync(Item).ToListAsync().AsTask());
        await Assert.ThrowsAsync<GenerationUnavailableException>(() => none.TokenizeAsync(Tokenize));
    }

    private static TokenizeWorkItem Tokenize => new(Item.Target, "Hi", null, null);

    private static async Task WriteAsync(HttpContext http, GenerationUpdate update)
    {
        await http.Response.WriteAsync(JsonSerializer.Serialize(update, LangTrainJson.Default.GenerationUpdate) + "\n");
        await http.Response.Body.FlushAsync();
    }
}
