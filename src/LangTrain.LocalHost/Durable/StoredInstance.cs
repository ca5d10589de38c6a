namespace LangTrain.LocalHost.Durable;

/// <summary>All that is stored of an orchestration: its row, its generation's history and its inbox in order.</summary>
internal sealed record StoredInstance(InstanceRecord Record, IReadOnlyList<HistoryTurn> Turns, IReadOnlyList<InboxEntry> Inbox);
