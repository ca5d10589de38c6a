namespace LangTrain.LocalHost.Durable;

/// <summary>What reaches an orchestration. Stored by name.</summary>
internal enum DurableMessageKind
{
    /// <summary>It begins, or begins anew.</summary>
    Start,

    /// <summary>An activity gave a result.</summary>
    ActivityCompleted,

    /// <summary>An activity threw.</summary>
    ActivityFailed,

    /// <summary>A timer's time has come.</summary>
    TimerFired,

    /// <summary>Somebody outside raised an event.</summary>
    EventRaised,

    /// <summary>Somebody outside ends it.</summary>
    Terminate,

    /// <summary>Somebody outside halts it.</summary>
    Suspend,

    /// <summary>Somebody outside lets it go on.</summary>
    Resume,
}
