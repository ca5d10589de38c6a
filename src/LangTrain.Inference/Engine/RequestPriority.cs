namespace LangTrain.Inference;

/// <summary>Who yields to whom inside the engine.</summary>
public enum RequestPriority
{
    /// <summary>Somebody waits for the answer.</summary>
    Interactive,

    /// <summary>Batch work: takes rows that no interactive request wants, and gives them back when one does.</summary>
    Batch,
}
