using System.Text.Json;
using LangTrain.LocalHost.Hosting;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Durable;

/// <summary>Calls activities, so many at once as host.json allows, and stores what they gave. At least once. Thread-safe.</summary>
internal sealed class ActivityCaller(
    DurableRuntime runtime, FunctionCatalog catalog, FunctionPipeline pipeline, IServiceScopeFactory scopes, JsonSerializerOptions json, int atOnce)
    : IDisposable
{
    private static readonly TimeSpan StoragePause = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, LocalFunction> _functions = catalog.With<ActivityFunctionTrigger>()
        .ToDictionary(found => found.Trigger.Activity, found => found.Function, StringComparer.OrdinalIgnoreCase);

    private readonly SemaphoreSlim _slots = new(atOnce);

    public void Dispose() => _slots.Dispose();

    /// <summary>Calls an activity and puts its result into the orchestration's inbox.</summary>
    /// <exception cref="OperationCanceledException">The host stops; nothing was stored.</exception>
    public async Task CallAsync(OrchestrationInstance instance, int generation, ScheduledTask task, CancellationToken stopping)
    {
        await _slots.WaitAsync(stopping);
        try
        {
            runtime.Points.Reach(CommitPoint.BeforeActivity, instance.InstanceId);
            var answer = await AnswerAsync(instance, task, stopping) with { Generation = generation, TaskId = task.Id };
            runtime.Points.Reach(CommitPoint.AfterActivity, instance.InstanceId);
            await StoreAsync(instance, task, answer, stopping);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<DurableMessage> AnswerAsync(OrchestrationInstance instance, ScheduledTask task, CancellationToken stopping)
    {
        try
        {
            if (!_functions.TryGetValue(task.Activity!, out var function))
            {
                throw new InvalidOperationException($"There is no activity function '{task.Activity}'.");
            }

            var type = ((ActivityFunctionTrigger)function.Trigger).InputType;
            var input = task.Input is null ? null : JsonSerializer.Deserialize(task.Input, type, json);
            await using var scope = scopes.CreateAsyncScope();
            var data = new Dictionary<string, object?> { ["instanceId"] = instance.InstanceId };
            var context = new LocalFunctionContext(function, input, data, scope.ServiceProvider, 0, 0, stopping);
            await pipeline.RunAsync(context);
            return new DurableMessage { Kind = DurableMessageKind.ActivityCompleted, Payload = Write(context.Result, function) };
        }
        catch (Exception thrown) when (!stopping.IsCancellationRequested)
        {
            runtime.Logger.ActivityFailed(thrown, task.Activity!, instance.InstanceId);
            return new DurableMessage { Kind = DurableMessageKind.ActivityFailed, Failure = TaskFailureDetails.FromException(thrown) };
        }
        catch (Exception thrown)
        {
            // Most likely the cancellation itself. In doubt it runs again, after the next start.
            throw new OperationCanceledException("The host stops.", thrown, stopping);
        }
    }

    // By the declared type, so that what a base type says about its derived ones is written too.
    private string? Write(object? result, LocalFunction function)
    {
        var declared = function.Method.ReturnType;
        declared = declared.IsGenericType ? declared.GetGenericArguments()[0] : declared;
        return result is null ? null : JsonSerializer.Serialize(result, declared, json);
    }

    private async Task StoreAsync(OrchestrationInstance instance, ScheduledTask task, DurableMessage answer, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await instance.AppendAsync(answer, stopping);
                return;
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                runtime.Logger.ActivityResultUnstored(failure, task.Activity!, instance.InstanceId);
                await Task.Delay(StoragePause, runtime.Time, stopping);
            }
        }
    }
}
