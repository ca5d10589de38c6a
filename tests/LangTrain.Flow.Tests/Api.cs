using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Testing;

namespace LangTrain.Flow.Tests;

/// <summary>The public API as any HTTP client sees it.</summary>
internal sealed class Api(Uri baseUrl, string key) : IDisposable
{
    // Every host of a run is the same program.
    private static AnswerContract? _contract;

    private readonly HttpClient _client = new(new ContractHandler(stop => ContractAsync(baseUrl, stop), new HttpClientHandler()))
    {
        BaseAddress = baseUrl,
        Timeout = TimeSpan.FromMinutes(2),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
    };

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, JsonNode? body = null) =>
        _client.SendAsync(new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) });

    public async Task<JsonObject> GetAsync(string path) => await ReadAsync(await SendAsync(HttpMethod.Get, path));

    public async Task<JsonObject> PostAsync(string path, JsonNode? body) => await ReadAsync(await SendAsync(HttpMethod.Post, path, body));

    /// <summary>Uploads rows as a JSONL file and gives the file's id.</summary>
    public async Task<string> UploadAsync(IEnumerable<JsonObject> rows)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("fine-tune"), "purpose");
        var text = string.Concat(rows.Select(row => row.ToJsonString() + "\n"));
        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(text)), "file", "train.jsonl");
        return (await ReadAsync(await _client.PostAsync(new Uri("files", UriKind.Relative), form)))["id"]!.GetValue<string>();
    }

    /// <summary>Uploads a folder as a custom model, and waits until it was checked.</summary>
    public async Task<JsonObject> UploadModelAsync(string folder, string name)
    {
        var archive = new MemoryStream();
        await System.IO.Compression.ZipFile.CreateFromDirectoryAsync(folder, archive);
        var model = await UploadModelAsync(archive.ToArray(), "model.zip", name: name);
        for (var tries = 0; model["status"]!.GetValue<string>() == "validating" && tries < 600; tries++)
        {
            await Task.Delay(100);
            model = await GetAsync("models/" + model["id"]!.GetValue<string>());
        }

        Assert.True(model["status"]!.GetValue<string>() == "ready", model.ToJsonString());
        return model;
    }

    /// <summary>Uploads an archive as a custom model, which then is to be checked.</summary>
    public async Task<JsonObject> UploadModelAsync(byte[] archive, string filename, string? baseModel = null, string name = "Mine")
    {
        using var form = new MultipartFormDataContent { { new StringContent(name), "name" }, { new StringContent("custom"), "model_type" } };
        if (baseModel is not null)
        {
            form.Add(new StringContent(baseModel), "base_model");
        }

        form.Add(new ByteArrayContent(archive), "model", filename);
        return await PostFormAsync("models", form);
    }

    public async Task<JsonObject> PostFormAsync(string path, MultipartFormDataContent form) => await ReadAsync(await _client.PostAsync(new Uri(path, UriKind.Relative), form));

    /// <summary>Waits until a job has one of these statuses, and fails if it ends with another.</summary>
    public async Task<JsonObject> WaitForJobAsync(string id, TimeSpan patience, params string[] statuses)
    {
        var end = DateTime.UtcNow + patience;
        JsonObject job;
        do
        {
            job = await GetAsync($"fine-tunes/{id}");
            var status = job["status"]!.GetValue<string>();
            if (statuses.Contains(status))
            {
                return job;
            }

            Assert.False(status is "completed" or "failed" or "cancelled", $"The job ended as {status}: {job.ToJsonString()}");
            await Task.Delay(200);
        }
        while (DateTime.UtcNow < end);
        throw new TimeoutException($"The job did not become {string.Join('/', statuses)} in {patience}: {job.ToJsonString()}");
    }

    /// <summary>All stored events of a job.</summary>
    public async Task<IReadOnlyList<JsonObject>> EventsAsync(string id)
    {
        var events = new List<JsonObject>();
        while (true)
        {
            var after = events.Count == 0 ? 0 : events[^1]["sequence"]!.GetValue<long>();
            var page = await GetAsync($"fine-tunes/{id}/events?after={after}&limit=100&order=asc");
            events.AddRange(page["data"]!.AsArray().Select(e => e!.AsObject()));
            if (!page["has_more"]!.GetValue<bool>())
            {
                return events;
            }
        }
    }

    public async Task<string> CompleteAsync(string model, string prompt, int maxTokens) =>
        (await PostAsync("completions", new JsonObject { ["model"] = model, ["prompt"] = prompt, ["max_tokens"] = maxTokens, ["temperature"] = 0 }))
        ["choices"]![0]!["text"]!.GetValue<string>();

    public void Dispose() => _client.Dispose();

    private static async Task<AnswerContract> ContractAsync(Uri baseUrl, CancellationToken cancellation)
    {
        if (_contract is null)
        {
            using var client = new HttpClient();
            _contract = new AnswerContract(JsonNode.Parse(await client.GetStringAsync(new Uri(baseUrl, "openapi.json"), cancellation))!.AsObject());
        }

        return _contract;
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {response.RequestMessage!.RequestUri!.AbsolutePath}: {text}");
        return JsonSerializer.Deserialize<JsonObject>(text)!;
    }
}
