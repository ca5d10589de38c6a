namespace LangTrain.Training.Data;

/// <summary>The training data cannot be used as it is: the owner's to repair, never worth another try.</summary>
public sealed class TrainingDataException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong, in a sentence.</param>
    /// <param name="line">Number of the line, from 1; null when it is about the whole file.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public TrainingDataException(string message, long? line = null, Exception? inner = null)
        : base(line is null ? message : FormattableString.Invariant($"Line {line}: {message}"), inner) => Line = line;

    /// <summary>Number of the line, from 1; null when it is about the whole file.</summary>
    public long? Line { get; }
}
