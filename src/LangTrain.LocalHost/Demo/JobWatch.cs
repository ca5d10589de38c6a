using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Spectre.Console;

namespace LangTrain.LocalHost.Demo;

/// <summary>Follows a job on its own WebSocket and draws what it tells: a bar, the loss, the time to go.</summary>
internal sealed class JobWatch(DemoApi api, IAnsiConsole console)
{
    private const int LargestMessage = 1 << 20;

    /// <summary>Watches until the job has ended.</summary>
    /// <exception cref="DemoFailedException">The job did not complete, or its stream broke off before its end.</exception>
    public async Task FollowAsync(string jobId, CancellationToken cancellation)
    {
        var ticket = await api.PostAsync($"fine-tunes/{jobId}/stream/negotiate", null, cancellation);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(DemoApi.Text(ticket, "url")), cancellation);
        await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask("waiting for a worker", maxValue: 1);
                await foreach (var message in MessagesAsync(socket, cancellation))
                {
                    using (message)
                    {
                        if (Show(bar, message.RootElement))
                        {
                            return;
                        }
                    }
                }

                throw new DemoFailedException("The job's stream ended before the job did.");
            });
    }

    /// <returns>True when the job is completed.</returns>
    private static bool Show(ProgressTask bar, JsonElement told)
    {
        switch (told.GetProperty("type").GetString())
        {
            case "metrics":
                var data = told.GetProperty("data");
                bar.MaxValue = data.GetProperty("total_steps").GetDouble();
                bar.Value = data.GetProperty("step").GetDouble();
                bar.Description = string.Create(CultureInfo.InvariantCulture,
                    $"step {data.GetProperty("step").GetInt32(),3}/{data.GetProperty("total_steps").GetInt32()}  loss {data.GetProperty("loss").GetDouble():f4}  {data.GetProperty("tokens_per_second").GetDouble(),6:f0} tokens/s  ETA {data.GetProperty("eta_seconds").GetDouble(),3:f0} s");
                return false;

            case "status":
                var status = told.GetProperty("status").GetString()!;
                if (status is "failed" or "cancelled")
                {
                    throw new DemoFailedException($"The job ended as {status}.");
                }

                if (status == "completed")
                {
                    bar.Value = bar.MaxValue;
                    return true;
                }

                if (bar.Value == 0)
                {
                    bar.Description = status;
                }

                return false;

            default:
                return false;
        }
    }

    private static async IAsyncEnumerable<JsonDocument> MessagesAsync(
        ClientWebSocket socket, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var buffer = new byte[LargestMessage];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
                length += received.Count;
            }
            while (!received.EndOfMessage && length < buffer.Length);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                yield break;
            }

            yield return JsonDocument.Parse(buffer.AsMemory(0, length));
        }
    }
}
