namespace LangTrain.LocalHost.Durable;

/// <summary>The moments around each change of what is stored; a crash at any of them must lose and double nothing.</summary>
internal enum CommitPoint
{
    /// <summary>A message is about to be put into an inbox.</summary>
    BeforeMessage,

    /// <summary>It is stored; nobody in this process knows yet.</summary>
    AfterMessage,

    /// <summary>A turn was run; nothing of it is stored.</summary>
    BeforeTurn,

    /// <summary>A turn is stored; none of its activities was started.</summary>
    AfterTurn,

    /// <summary>An activity is about to be called.</summary>
    BeforeActivity,

    /// <summary>An activity returned; its result is not stored.</summary>
    AfterActivity,
}
