using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.RegularExpressions;

namespace LangTrain.Flow.Tests;

/// <summary>One job seen from outside: its trace crosses app, queue and worker, and nothing that was written anywhere holds a secret.</summary>
public sealed partial class ObservabilityTests
{
    [Fact]
    public async Task A_job_is_one_trace_over_all_processes_and_no_log_holds_a_secret()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            string printed, ticket;
            await using (var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl(), new Dictionary<string, string>
            {
                ["LANGTRAIN_TELEMETRY_CONSOLE"] = "true",
            }))
            {
                var file = await host.Api.UploadAsync(TinyModel.Rows(16));
                using var traced = new HttpClient { BaseAddress = host.BaseUrl };
                traced.DefaultRequestHeaders.Authorization = new("Bearer", host.ApiKey);
                traced.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
                using var answer = await traced.PostAsJsonAsync("fine-tunes", TinyModel.Job(file, epochs: 1));
                var id = (await answer.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonObject>())!["id"]!.GetValue<string>();
                ticket = await ListenAsync(host, id);
                var job = await host.Api.WaitForJobAsync(id, TimeSpan.FromMinutes(3), "completed");
                await host.Api.CompleteAsync(job["fine_tuned_model"]!.GetValue<string>(), "Hello", 4);
                Assert.Equal(0, await host.InterruptAsync(TimeSpan.FromSeconds(60)));
                printed = host.Output;
            }

            var workerLog = await File.ReadAllTextAsync(Path.Combine(folder, "logs", "worker.log"));
            Assert.Superset(new HashSet<string> { "CreateFineTune", "fine_tune prepare", "fine_tune queue", "fine_tune register" }, Spans(printed, Trace));
            Assert.Contains("fine_tune train", Spans(workerLog, Trace));

            // What LocalHost prints for its user (the key, the dashboard's link) stands on the console and nowhere else.
            var logs = Directory.GetFiles(Path.Combine(folder, "logs")).Select(File.ReadAllText).Append(Without(printed, "LangTrain is ready", "--help says more")).ToArray();
            foreach (var secret in (string[])["lt-flow-tests-0123456789abcdef0123456789", ticket, "AccountKey=", "AccessKey=", "access_token=", "sig="])
            {
                Assert.DoesNotContain(logs, log => log.Contains(secret, StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Opens the job's stream with the key in the address, as the reference does; gives the token of the address it was sent on to.</summary>
    private static async Task<string> ListenAsync(LocalHostProcess host, string job)
    {
        using var asker = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var moved = await asker.GetAsync(new Uri(host.BaseUrl, $"fine-tunes/{job}/stream?token={host.ApiKey}"));
        Assert.Equal(302, (int)moved.StatusCode);
        using var socket = new ClientWebSocket();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await socket.ConnectAsync(moved.Headers.Location!, patience.Token);
        await socket.ReceiveAsync(new byte[4096], patience.Token);
        return moved.Headers.Location!.Query.Split("access_token=")[1];
    }

    /// <summary>Names of the spans of one trace, of what the console exporter wrote.</summary>
    private static HashSet<string> Spans(string text, string trace) => [.. Span().Matches(text)
        .Where(match => match.Groups["trace"].Value == trace).Select(match => match.Groups["name"].Value.Trim())];

    /// <summary>A text without what stands between two others.</summary>
    private static string Without(string text, string begin, string end)
    {
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal), text.IndexOf(end, StringComparison.Ordinal));
        return from < 0 || to < from ? text : text[..from] + text[to..];
    }

    [GeneratedRegex(@"Activity\.TraceId:\s+(?<trace>\w+)(?:(?!Activity\.TraceId).)*?Activity\.DisplayName:\s+(?<name>[^\r\n]+)", RegexOptions.Singleline)]
    private static partial Regex Span();
}
