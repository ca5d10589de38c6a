namespace LangTrain.Inference;

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token, a stop string, or a structured answer that is complete.</summary>
    Stop,

    /// <summary>The wanted number of tokens, or the end of the context.</summary>
    Length,

    /// <summary>The answer calls tools.</summary>
    ToolCalls,
}
