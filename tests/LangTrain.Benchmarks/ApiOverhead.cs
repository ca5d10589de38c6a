using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace LangTrain.Benchmarks;

/// <summary>
/// What the API adds to the time to the first token: streams asked for one after another over HTTP, timed from the request's first byte to the first text,
/// against what the worker's engine measured of the same requests (its own <c>time_to_first_token</c>, from submission to the token).
/// </summary>
internal static class ApiOverhead
{
    private const int WarmUp = 30, Requests = 200;

    /// <summary>Runs against a host that is up.</summary>
    /// <param name="api">Base address, with <c>/v1/</c>.</param>
    /// <param name="key">API key.</param>
    /// <param name="worker">Address of its worker.</param>
    public static async Task<int> RunAsync(Uri api, string key, Uri worker)
    {
        using var client = new HttpClient { BaseAddress = api };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var metrics = new HttpClient { BaseAddress = worker };
        for (var i = 0; i < WarmUp; i++)
        {
            await FirstTokenAsync(client, i);
        }

        foreach (var round in (string[])["a", "b", "c"])
        {
            var before = await EngineAsync(metrics);
            var times = new double[Requests];
            for (var i = 0; i < times.Length; i++)
            {
                times[i] = await FirstTokenAsync(client, i);
            }

            var after = await EngineAsync(metrics);
            Array.Sort(times);
            var engine = (after.Sum - before.Sum) / (after.Count - before.Count) * 1000;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{round}: client median {times[times.Length / 2]:F2} ms, mean {times.Average():F2}, p95 {times[times.Length * 95 / 100]:F2}; engine mean {engine:F2}; added (means) {times.Average() - engine:F2} ms"));
        }

        return 0;
    }

    private static async Task<double> FirstTokenAsync(HttpClient client, int seed)
    {
        // Each prompt begins another way, so that none is found in the engine's cache.
        var wish = new { model = "langtrain/tiny-base", prompt = $"{seed} birds sat in the tree and", max_tokens = 2, temperature = 0, stream = true };
        using var request = new HttpRequestMessage(HttpMethod.Post, "completions") { Content = JsonContent.Create(wish) };
        var began = Stopwatch.GetTimestamp();
        using var response = (await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        double? first = null;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.Contains("\"text\":", StringComparison.Ordinal))
            {
                first ??= Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
        }

        return first ?? throw new InvalidOperationException("No text came.");
    }

    private static async Task<(double Sum, double Count)> EngineAsync(HttpClient metrics)
    {
        var page = await metrics.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        return (Value("sum"), Value("count"));

        double Value(string part) => page.Split('\n')
            .Where(line => line.StartsWith("langtrain_inference_time_to_first_token_seconds_" + part, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
    }
}
