namespace LangTrain.LocalHost.Durable;

/// <summary>Nothing happens at any moment.</summary>
internal sealed class NoCommitPoints : ICommitPoints
{
    public void Reach(CommitPoint point, string instanceId)
    {
    }
}
