namespace LangTrain.LocalHost.Durable;

/// <summary>Is told of each moment at which a process could die; tests let it die there.</summary>
internal interface ICommitPoints
{
    /// <summary>Called at the moment; throwing means that the process is dead from there on.</summary>
    void Reach(CommitPoint point, string instanceId);
}
