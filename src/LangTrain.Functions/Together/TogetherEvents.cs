using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Together;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Http;
using LangTrain.Core.Together;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Together;

/// <summary>What happened in a job, in whole lists as the together-ai client asks for them. Thread-safe.</summary>
public sealed class TogetherEvents(IFineTuneStore store, IJobEventLog log, ReadFineTuneEvents events)
{
    // That client knows no pages. A job that told more is shown by every n-th of its steps.
    private const int MostMetrics = 10_000;

    /// <summary>What they have a word for, oldest first.</summary>
    public async Task<IResult> EventsAsync(HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation);
        var found = new List<TogetherEventAnswer>();
        await foreach (var told in log.ReadAsync(job.Ref(), 0, cancellation))
        {
            if (told.ToTogether(job) is { } known)
            {
                found.Add(known);
            }
        }

        return TogetherClient.Json(new TogetherListAnswer<TogetherEventAnswer>(found), ApiJson.Wire.TogetherListAnswerTogetherEventAnswer);
    }

    /// <summary>Stored states, newest first.</summary>
    public async Task<IResult> CheckpointsAsync(HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation);
        var found = job.ToTogether(await events.CheckpointsAsync(job, cancellation));
        return TogetherClient.Json(new TogetherListAnswer<TogetherCheckpointAnswer>(found), ApiJson.Wire.TogetherListAnswerTogetherCheckpointAnswer);
    }

    /// <summary>Numbers of steps and evaluations: <c>?global_step_from&amp;global_step_to&amp;logged_at_from&amp;logged_at_to&amp;resolution</c>.</summary>
    public async Task<IResult> MetricsAsync(HttpRequest request, string jobId, CancellationToken cancellation)
    {
        var job = await store.GetAsync(request.Caller(Scopes.Read), jobId, cancellation);
        var (firstStep, lastStep) = (Number(request, "global_step_from") ?? 0, Number(request, "global_step_to") ?? int.MaxValue);
        var (from, to) = (Moment(request, "logged_at_from") ?? DateTimeOffset.MinValue, Moment(request, "logged_at_to") ?? DateTimeOffset.MaxValue);
        var most = Math.Clamp(Number(request, "resolution") ?? MostMetrics, 1, MostMetrics);
        var found = new List<IReadOnlyDictionary<string, double>>();
        await foreach (var told in log.ReadAsync(job.Ref(), 0, cancellation))
        {
            if (told.Type == JobEventTypes.Rollback)
            {
                var back = told.ToTogetherMetrics().GetValueOrDefault("global_step");
                found.RemoveAll(one => one.GetValueOrDefault("global_step") > back);
            }
            else if (told.Type is JobEventTypes.Metrics or JobEventTypes.Eval && told.Timestamp >= from && told.Timestamp <= to
                && told.ToTogetherMetrics() is var numbers && numbers.GetValueOrDefault("global_step") is var step && step >= firstStep && step <= lastStep)
            {
                found.Add(numbers);
            }
        }

        var shown = found.Count <= most ? found : [.. Enumerable.Range(0, most).Select(i => found[(int)((long)i * found.Count / most)])];
        return TogetherClient.Json(new TogetherMetricsAnswer(shown), ApiJson.Wire.TogetherMetricsAnswer);
    }

    private static int? Number(HttpRequest request, string name) => request.QueryValue(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw ApiErrors.Invalid($"{name} must be a whole number, at least 0.", name);

    private static DateTimeOffset? Moment(HttpRequest request, string name) => request.QueryValue(name) is not { } text ? null
        : RequestTime.TryParse(text, out var moment) ? moment
        : throw ApiErrors.Invalid($"{name} must be a moment in ISO 8601.", name);
}
