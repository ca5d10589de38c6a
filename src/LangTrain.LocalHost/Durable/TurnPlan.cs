using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Durable;

/// <summary>What the next turn of an orchestration handles from its inbox, in order, and what that does to it before any of its code runs.</summary>
internal sealed record TurnPlan
{
    /// <summary>Entries that leave the inbox.</summary>
    public required IReadOnlyCollection<InboxEntry> Handled { get; init; }

    /// <summary>Messages for the orchestrator's code.</summary>
    public required IReadOnlyList<DurableMessage> Received { get; init; }

    /// <summary>Ends it, where somebody asked for that.</summary>
    public DurableMessage? Terminate { get; init; }

    /// <summary>Whether it is halted after this.</summary>
    public bool IsSuspended { get; init; }

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => Handled.Count == 0;

    /// <summary>Makes the plan.</summary>
    public static TurnPlan Of(InstanceRecord record, IReadOnlyList<InboxEntry> inbox, DateTimeOffset now)
    {
        var terminate = inbox.FirstOrDefault(entry => entry.Message.Kind == DurableMessageKind.Terminate);
        if (terminate is not null)
        {
            return new TurnPlan { Handled = [.. inbox.Take(DurableStore.MaxMessagesOfTurn)], Received = [], Terminate = terminate.Message };
        }

        var controls = inbox.Where(entry => entry.Message.Kind is DurableMessageKind.Suspend or DurableMessageKind.Resume)
            .Take(DurableStore.MaxMessagesOfTurn).ToList();
        var suspended = controls.Count > 0
            ? controls[^1].Message.Kind == DurableMessageKind.Suspend
            : record.Status == OrchestrationRuntimeStatus.Suspended;
        var isEarly = record.Status == OrchestrationRuntimeStatus.Pending && record.StartAt > now;
        if (suspended || isEarly)
        {
            return new TurnPlan { Handled = controls, Received = [], IsSuspended = suspended };
        }

        var handled = inbox.Take(DurableStore.MaxMessagesOfTurn).ToHashSet();
        return new TurnPlan
        {
            Handled = handled,
            Received = [.. inbox.Where(handled.Contains).Select(entry => entry.Message).Where(message => IsForCode(message, record))],
        };
    }

    /// <summary>The instance after this, its code aside.</summary>
    public InstanceRecord NextRecord(InstanceRecord record, DateTimeOffset now)
    {
        var next = record with { LastUpdatedAt = now };
        if (Terminate is not null)
        {
            return next with { Status = OrchestrationRuntimeStatus.Terminated, Output = Terminate.Payload };
        }

        // Halted before it began, it has to begin when it is let go on: its start message is still there and says so.
        return next with { Status = IsSuspended ? OrchestrationRuntimeStatus.Suspended : OrchestrationRuntimeStatus.Running };
    }

    private static bool IsForCode(DurableMessage message, InstanceRecord record) =>
        message.Kind is not (DurableMessageKind.Suspend or DurableMessageKind.Resume)
        && (message.Generation is null || message.Generation == record.Generation);
}
