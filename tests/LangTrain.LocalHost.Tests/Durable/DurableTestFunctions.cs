using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace LangTrain.LocalHost.Tests.Durable;

public sealed record Order(string Key, int Count);

/// <summary>Orchestrations that each use one part of the contract.</summary>
public static class DurableTestFunctions
{
    [Function(nameof(Twice))]
    public static int Twice([ActivityTrigger] int value) => value * 2;

    [Function(nameof(Note))]
    public static Task<int> Note([ActivityTrigger] string key) => Task.FromResult(Probe.Add(key));

    [Function(nameof(FailUntil))]
    public static int FailUntil([ActivityTrigger] Order order)
    {
        var attempt = Probe.Add(order.Key);
        return attempt >= order.Count ? attempt : throw new TimeoutException($"try {attempt} failed");
    }

    [Function(nameof(Lengthy))]
    public static string Lengthy([ActivityTrigger] int length) => new('é', length);

    [Function(nameof(Hang))]
    public static async Task Hang([ActivityTrigger] string key, CancellationToken cancellation)
    {
        Probe.Add(key);
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    [Function(nameof(Chain))]
    public static async Task<int> Chain([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var value = context.GetInput<int>();
        for (var i = 0; i < 3; i++)
        {
            value = await context.CallActivityAsync<int>(nameof(Twice), value);
        }

        return value;
    }

    [Function(nameof(FanOut))]
    public static async Task<int> FanOut([OrchestrationTrigger] TaskOrchestrationContext context) =>
        (await Task.WhenAll(Enumerable.Range(1, context.GetInput<int>()).Select(i => context.CallActivityAsync<int>(nameof(Twice), i)))).Sum();

    [Function(nameof(Retrying))]
    public static async Task<string> Retrying([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var options = TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromMilliseconds(20), 2));
        try
        {
            return "worked at try " + await context.CallActivityAsync<int>(nameof(FailUntil), context.GetInput<Order>(), options: options);
        }
        catch (TaskFailedException failure)
        {
            return $"{failure.TaskName}: {failure.FailureDetails.ErrorType}: {failure.FailureDetails.ErrorMessage}: {failure.FailureDetails.IsCausedBy<TimeoutException>()}";
        }
    }

    [Function(nameof(Events))]
    public static async Task<string> Events([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.CallActivityAsync(nameof(Note), context.InstanceId);
        var words = new List<string>();
        while (await context.WaitForExternalEvent<string>("word") is { } word && word != "end")
        {
            words.Add(word);
        }

        return string.Join(' ', words);
    }

    [Function(nameof(TimedEvent))]
    public static async Task<string> TimedEvent([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        try
        {
            return await context.WaitForExternalEvent<string>("never", TimeSpan.FromMilliseconds(100)) ?? "";
        }
        catch (TaskCanceledException)
        {
            return "timed out";
        }
    }

    [Function(nameof(Counter))]
    public static async Task<int> Counter([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var total = context.GetInput<int>();
        var amount = await context.WaitForExternalEvent<int>("add");
        await context.CallActivityAsync<int>(nameof(Twice), amount);
        if (amount == 0)
        {
            return total;
        }

        context.ContinueAsNew(total + amount);
        return -1;
    }

    [Function(nameof(Facts))]
    public static async Task<bool> Facts([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var (id, at) = (context.NewGuid(), context.CurrentUtcDateTime);
        context.SetCustomStatus(new Order(id.ToString(), 1));
        if (!context.IsReplaying)
        {
            Probe.Add(context.InstanceId + " first");
        }

        await context.CreateTimer(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        Probe.Add($"{context.InstanceId} {id} {at.Ticks}");
        return context.CurrentUtcDateTime > at && context.NewGuid() != id;
    }

    [Function(nameof(Random))]
    public static async Task Random([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var activity = Probe.Add(context.InstanceId) == 1 ? nameof(Twice) : nameof(Note);
        await context.CallActivityAsync(activity, 1);
        await context.CallActivityAsync(activity, 1);
    }

    [Function(nameof(Rogue))]
    public static async Task Rogue([OrchestrationTrigger] TaskOrchestrationContext context) => await Task.Delay(50);

    [Function(nameof(Throwing))]
    public static Task Throwing([OrchestrationTrigger] TaskOrchestrationContext context) => throw new InvalidDataException("no good");

    [Function(nameof(LongText))]
    public static async Task<string> LongText([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var text = await context.CallActivityAsync<string>(nameof(Lengthy), context.GetInput<int>());
        await context.CallActivityAsync<int>(nameof(Twice), 1);
        return text;
    }

    [Function(nameof(Hanging))]
    public static async Task Hanging([OrchestrationTrigger] TaskOrchestrationContext context) =>
        await context.CallActivityAsync(nameof(Hang), context.GetInput<string>());

    /// <summary>Five numbered notes, an event and a timer: what crash tests run.</summary>
    [Function(nameof(Journey))]
    public static async Task<string> Journey([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var sum = 0;
        for (var i = 0; i < 3; i++)
        {
            sum += await context.CallActivityAsync<int>(nameof(Twice), i);
            await context.CreateTimer(TimeSpan.FromMilliseconds(5), CancellationToken.None);
        }

        var first = await context.WaitForExternalEvent<string>("go");
        var second = await context.WaitForExternalEvent<string>("go");
        return $"{sum} {first} {second} {context.NewGuid() != Guid.Empty}";
    }
}
