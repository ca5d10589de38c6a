using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Functions.Http;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.FineTunes;

/// <summary>What happened in a job: events as a list or a stream, its numbers, its checkpoints, its log as text.</summary>
public sealed class FineTuneEventHttpFunctions(IFineTuneStore store, IJobEventLog log, ReadFineTuneEvents events, ApiKeyAuthenticator authenticator, TogetherEvents together, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary><c>GET /fine-tunes/{id}/events</c>: a list, or with <c>Accept: text/event-stream</c> a stream until the job has ended.</summary>
    [Function("ListFineTuneEvents")]
    public Task<IResult> ListEvents(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}/events")] HttpRequest request, string jobId, CancellationToken cancellation) =>
        IsTogethers(request) ? together.EventsAsync(request, jobId, cancellation) : ShowAsync(request, jobId, _ => true, cancellation);

    /// <summary>
    /// <c>GET /fine-tunes/{id}/metrics</c>: the metrics events, as <see cref="ListEvents"/>. The list leaves out steps that a diverged run went back behind;
    /// the stream, which has told them by then, tells of the return instead.
    /// </summary>
    [Function("ListFineTuneMetrics")]
    public Task<IResult> ListMetrics(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}/metrics")] HttpRequest request, string jobId, CancellationToken cancellation) =>
        IsTogethers(request) ? together.MetricsAsync(request, jobId, cancellation)
            : ShowStepsAsync(request, jobId, told => told.Type is JobEventTypes.Metrics or JobEventTypes.Eval, cancellation);

    /// <summary><c>GET /fine-tunes/{id}/checkpoints</c>: the checkpoint events, as <see cref="ListEvents"/>.</summary>
    [Function("ListFineTuneCheckpoints")]
    public Task<IResult> ListCheckpoints(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}/checkpoints")] HttpRequest request, string jobId, CancellationToken cancellation) =>
        IsTogethers(request) ? together.CheckpointsAsync(request, jobId, cancellation) : ShowStepsAsync(request, jobId, told => told.Type == JobEventTypes.Checkpoint, cancellation);

    /// <summary><c>GET /fine-tunes/{id}/logs</c>: the log as plain text, or with <c>Accept: text/event-stream</c> its lines as they come.</summary>
    [Function("GetFineTuneLogs")]
    public async Task<IResult> GetLogs(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fine-tunes/{jobId}/logs")] HttpRequest request, string jobId, CancellationToken cancellation)
    {
        if (WantsStream(request))
        {
            return await ShowAsync(request, jobId, told => told.Type is JobEventTypes.Log or JobEventTypes.Status, cancellation);
        }

        var job = (await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation)).Ref();
        var text = new StringBuilder();
        await foreach (var told in log.ReadAsync(job, 0, cancellation))
        {
            var line = told.Type switch
            {
                JobEventTypes.Log => $"{told.Level}: {told.Message}",
                JobEventTypes.Status => $"status: {told.Status}",
                _ => $"{told.Type}: {told.Data}",
            };
            text.Append(CultureInfo.InvariantCulture, $"{told.Timestamp:yyyy-MM-ddTHH:mm:ss.fffZ} {line}\n");
        }

        return TypedResults.Text(text.ToString(), "text/plain; charset=utf-8");
    }

    private static bool IsTogethers(HttpRequest request) => request.IsTogethers() && !WantsStream(request);

    private static bool WantsStream(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private async Task<IResult> ShowStepsAsync(HttpRequest request, string jobId, Func<JobEvent, bool> wanted, CancellationToken cancellation)
    {
        if (WantsStream(request))
        {
            return await ShowAsync(request, jobId, told => told.Type == JobEventTypes.Rollback || wanted(told), cancellation);
        }

        var job = (await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation)).Ref();
        var holds = await events.HoldingAsync(job, cancellation);
        return await ListAsync(request, job, told => wanted(told) && holds(told), cancellation);
    }

    private async Task<IResult> ShowAsync(HttpRequest request, string jobId, Func<JobEvent, bool> wanted, CancellationToken cancellation)
    {
        var caller = request.Caller(Scopes.Read);
        var job = (await store.GetAsync(caller, jobId, cancellation)).Ref();
        if (!WantsStream(request))
        {
            return await ListAsync(request, job, wanted, cancellation);
        }

        var after = After(request, request.Headers["Last-Event-ID"]);
        return new JobEventStream(stop => FollowAsync(job, caller.Key, after, stop).Where(wanted));
    }

    private async Task<IResult> ListAsync(HttpRequest request, FineTuneRef job, Func<JobEvent, bool> wanted, CancellationToken cancellation)
    {
        var limit = request.QueryValue("limit") is { } text ? Number(text, "limit", 1, 1000) : 100;
        var order = request.QueryValue("order") ?? "asc";
        if (order == "desc")
        {
            var before = request.QueryValue("after") is { } newest ? Number(newest, "after", 0, int.MaxValue) : (long?)null;
            var page = await events.NewestAsync(job, before, limit, wanted, cancellation);
            return Show([.. page.Items.Select(told => told with { Key = null })], page.HasMore);
        }

        if (order != "asc")
        {
            throw ApiErrors.Invalid($"order must be 'asc' or 'desc', not '{ApiErrors.Shorten(order)}'.", "order");
        }

        var found = new List<JobEvent>();
        var more = false;
        await foreach (var told in log.ReadAsync(job, After(request, null), cancellation))
        {
            if (!wanted(told))
            {
                continue;
            }

            if (found.Count == limit)
            {
                more = true;
                break;
            }

            found.Add(told with { Key = null });
        }

        return Show(found, more);
    }

    private static IResult Show(IReadOnlyList<JobEvent> found, bool more) => Answer.Json(
        ListAnswer.Of(found, more, told => told.Sequence.ToString(CultureInfo.InvariantCulture)), ApiJson.Wire.ListAnswerJobEvent);

    private async IAsyncEnumerable<JobEvent> FollowAsync(FineTuneRef job, ApiKey key, long after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            await authenticator.RequireStillGoodAsync(key, cancellation);
            // Looked at before reading: what an ended job had to tell is all in the log by then.
            var row = await store.FindAsync(job, cancellation);
            var ended = row is null || FineTuneStateMachine.IsTerminal(row.Value.Status);
            var last = false;
            await foreach (var told in log.ReadAsync(job, after, cancellation))
            {
                after = told.Sequence;
                last = told.Type == JobEventTypes.Status && told.Status is { } word && FineTuneStatusWords.Find(word) is { } status && FineTuneStateMachine.IsTerminal(status);
                yield return told with { Key = null };
            }

            if (last || ended)
            {
                yield break;
            }

            await Task.Delay(Pause, time, cancellation);
        }
    }

    private static long After(HttpRequest request, string? header)
    {
        var text = header is { Length: > 0 } ? header : request.QueryValue("after");
        return text is null ? 0 : Number(text, "after", 0, int.MaxValue);
    }

    private static int Number(string text, string param, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw ApiErrors.Invalid($"{param} must be a whole number from {least} to {most}.", param);
}
