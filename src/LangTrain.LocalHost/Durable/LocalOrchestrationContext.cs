using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Durable;

/// <summary>What an orchestrator sees in one turn. Used on the turn's thread alone; a call from another one throws.</summary>
internal sealed class LocalOrchestrationContext(
    InstanceRecord record, OrchestratorThread thread, JsonSerializerOptions json, ILoggerFactory loggers) : TaskOrchestrationContext
{
    private readonly Dictionary<int, (string Name, TaskCompletionSource<string?> Answer)> _open = [];
    private readonly ExternalEvents _events = new();
    private List<ScheduledTask> _scheduled = [];
    private List<int> _cancelled = [];
    private DateTime _now;
    private bool _isReplaying;
    private bool _keepsEvents;
    private int _nextTask;
    private int _nextGuid;

    public override TaskName Name => record.Name;

    public override string InstanceId => record.InstanceId;

    public override DateTime CurrentUtcDateTime => _now;

    public override bool IsReplaying => _isReplaying;

    /// <summary>Set as JSON by the orchestrator, or by an earlier turn.</summary>
    public string? CustomStatus { get; private set; } = record.CustomStatus;

    /// <summary>Whether the orchestrator asked to start anew.</summary>
    public bool StartsAnew { get; private set; }

    /// <summary>The next generation's input, as JSON.</summary>
    public string? NextInput { get; private set; }

    /// <summary>Whether anything durable can wake the orchestrator.</summary>
    public bool IsWaiting => _open.Count > 0 || _events.HasWaiters;

    protected override ILoggerFactory LoggerFactory => loggers;

    /// <summary>Begins a turn of the past or the present.</summary>
    public void BeginTurn(DateTime at, bool isReplaying)
    {
        _now = DateTime.SpecifyKind(at, DateTimeKind.Utc);
        _isReplaying = isReplaying;
    }

    /// <summary>Ends it and gives what the orchestrator asked for in it.</summary>
    public (IReadOnlyList<ScheduledTask> Scheduled, IReadOnlyList<int> Cancelled) EndTurn()
    {
        var asked = (_scheduled, _cancelled);
        (_scheduled, _cancelled) = ([], []);
        return asked;
    }

    /// <summary>Gives the orchestrator what reached it. An answer that came twice, or to a timer that was given up, does nothing.</summary>
    public void Handle(DurableMessage message)
    {
        switch (message.Kind)
        {
            case DurableMessageKind.EventRaised:
                _events.Raise(message.Name!, message.Payload);
                break;
            case DurableMessageKind.ActivityFailed when _open.Remove(message.TaskId, out var task):
                task.Answer.TrySetException(new TaskFailedException(task.Name, message.TaskId, message.Failure!));
                break;
            case DurableMessageKind.ActivityCompleted or DurableMessageKind.TimerFired when _open.Remove(message.TaskId, out var task):
                task.Answer.TrySetResult(message.Payload);
                break;
        }
    }

    /// <summary>The start message of the next generation.</summary>
    public DurableMessage StartAnew() => new()
    {
        Kind = DurableMessageKind.Start,
        Carried = _keepsEvents
            ? [.. _events.Unreceived().Select(one => new DurableMessage { Kind = DurableMessageKind.EventRaised, Name = one.Name, Payload = one.Payload })]
            : null,
    };

    public override T? GetInput<T>()
        where T : default => Read<T>(record.Input);

    public override async Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        var written = Write(input);
        var firstTry = CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Read<TResult>(await ScheduleActivity(name, written))!;
            }
            catch (TaskFailedException failure) when (options?.Retry is not null)
            {
                if (!await ShouldRetryAsync(options.Retry, attempt, firstTry, failure.FailureDetails))
                {
                    throw;
                }
            }
        }
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        var task = new ScheduledTask { Id = NextTask(), FireAt = fireAt.Kind == DateTimeKind.Local ? fireAt.ToUniversalTime() : fireAt };
        var answer = Open(task, "timer");
        cancellationToken.Register(() =>
        {
            if (answer.TrySetCanceled(cancellationToken))
            {
                _open.Remove(task.Id);
                _cancelled.Add(task.Id);
            }
        });
        return answer.Task;
    }

    public override async Task<T?> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
        where T : default
    {
        ThrowIfElsewhere();
        return Read<T>(await _events.WaitAsync(eventName, cancellationToken));
    }

    public override void SetCustomStatus(object? customStatus) => CustomStatus = Write(customStatus);

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        StartsAnew = true;
        NextInput = Write(newInput);
        _keepsEvents = preserveUnprocessedEvents;
    }

    public override Guid NewGuid()
    {
        ThrowIfElsewhere();
        var name = string.Create(CultureInfo.InvariantCulture, $"{InstanceId}\n{record.CreatedAt.UtcTicks}\n{record.Generation}\n{_nextGuid++}");
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), bytes);
        // Version 8 (own content) and the standard variant, RFC 9562.
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes[..16], bigEndian: true);
    }

    private async Task<bool> ShouldRetryAsync(TaskRetryOptions retry, int attempt, DateTime firstTry, TaskFailureDetails failure)
    {
        if (retry.Handler is { } handler)
        {
            return await handler(new RetryContext(this, attempt, failure, CurrentUtcDateTime - firstTry, CancellationToken.None));
        }

        var policy = retry.Policy!;
        var isLate = policy.RetryTimeout != Timeout.InfiniteTimeSpan && CurrentUtcDateTime - firstTry >= policy.RetryTimeout;
        if (attempt >= policy.MaxNumberOfAttempts || isLate || !policy.ShouldHandle(failure))
        {
            return false;
        }

        var pause = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        await CreateTimer(CurrentUtcDateTime.AddMilliseconds(Math.Min(pause, policy.MaxRetryInterval.TotalMilliseconds)), CancellationToken.None);
        return true;
    }

    private Task<string?> ScheduleActivity(TaskName name, string? input)
    {
        var task = new ScheduledTask { Id = NextTask(), Activity = name.Name, Input = input };
        return Open(task, name.Name).Task;
    }

    private int NextTask()
    {
        ThrowIfElsewhere();
        return _nextTask++;
    }

    private TaskCompletionSource<string?> Open(ScheduledTask task, string name)
    {
        // Continuations run on the turn's thread, at once: an orchestrator has no other.
        var answer = new TaskCompletionSource<string?>();
        _open[task.Id] = (name, answer);
        _scheduled.Add(task);
        return answer;
    }

    private void ThrowIfElsewhere()
    {
        if (!thread.IsCurrent)
        {
            throw new InvalidOperationException(
                $"'{record.Name}' used its context outside its turn. An orchestrator may await only what its context gives, and starts no threads.");
        }
    }

    private string? Write(object? value) => value is null ? null : JsonSerializer.Serialize(value, value.GetType(), json);

    private T? Read<T>(string? text) => text is null ? default : JsonSerializer.Deserialize<T>(text, json);
}
