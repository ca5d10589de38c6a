namespace LangTrain.LocalHost.Durable;

/// <summary>A message that waits to be handled. Timers have no row: they are known from the history.</summary>
internal sealed record InboxEntry(string? RowKey, DurableMessage Message);
