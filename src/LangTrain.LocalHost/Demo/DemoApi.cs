using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace LangTrain.LocalHost.Demo;

/// <summary>The public API as any client calls it. Thread-safe.</summary>
internal sealed class DemoApi : IDisposable
{
    private readonly HttpClient _client;

    public DemoApi(Uri url, string key) => _client = new HttpClient
    {
        BaseAddress = new Uri(url, "/v1/"),
        Timeout = TimeSpan.FromMinutes(2),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
    };

    /// <summary>Uploads a file for fine-tuning and gives its id.</summary>
    public async Task<string> UploadAsync(string path, CancellationToken cancellation)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("fine-tune"), "purpose");
        form.Add(new StreamContent(File.OpenRead(path)), "file", Path.GetFileName(path));
        return Text(await ReadAsync(await _client.PostAsync(new Uri("files", UriKind.Relative), form, cancellation), cancellation), "id");
    }

    public async Task<JsonObject> PostAsync(string path, JsonObject? body, CancellationToken cancellation) =>
        await ReadAsync(await _client.PostAsync(new Uri(path, UriKind.Relative), body is null ? null : JsonContent.Create(body), cancellation), cancellation);

    public async Task<JsonObject> GetAsync(string path, CancellationToken cancellation) =>
        await ReadAsync(await _client.GetAsync(new Uri(path, UriKind.Relative), cancellation), cancellation);

    /// <summary>A model's answer to one question, as likely as it can be.</summary>
    public async Task<string> AskAsync(string model, string question, CancellationToken cancellation)
    {
        var answer = await PostAsync("chat/completions", new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["max_tokens"] = 48,
            ["temperature"] = 0,
        }, cancellation);
        return answer["choices"]![0]!["message"]!["content"]!.GetValue<string>();
    }

    public static string Text(JsonObject answer, string key) => answer[key]!.GetValue<string>();

    public void Dispose() => _client.Dispose();

    /// <exception cref="DemoFailedException">The API said no; with its own words.</exception>
    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(cancellation);
            return response.IsSuccessStatusCode
                ? (JsonObject)JsonNode.Parse(text)!
                : throw new DemoFailedException($"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.AbsolutePath} answered {(int)response.StatusCode}: {text}");
        }
    }
}
