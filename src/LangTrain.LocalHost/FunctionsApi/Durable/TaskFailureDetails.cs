namespace Microsoft.DurableTask;

/// <summary>Why a task failed, as data that outlives the process.</summary>
/// <param name="ErrorType">Full name of the exception's type.</param>
/// <param name="ErrorMessage">Its message.</param>
/// <param name="StackTrace">Where it was thrown.</param>
/// <param name="InnerFailure">What caused it.</param>
/// <param name="Properties">More about it.</param>
public record TaskFailureDetails(
    string ErrorType, string ErrorMessage, string? StackTrace, TaskFailureDetails? InnerFailure, IDictionary<string, object?>? Properties)
{
    /// <summary>Takes the facts of an exception and its causes.</summary>
    public static TaskFailureDetails FromException(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        // A failed task's exception stands for the failure that it carries, not for one of its own.
        return exception is TaskFailedException failed
            ? new TaskFailureDetails(typeof(TaskFailedException).FullName!, failed.Message, failed.StackTrace, failed.FailureDetails, null)
            : new TaskFailureDetails(
                exception.GetType().FullName!,
                exception.Message,
                exception.StackTrace,
                exception.InnerException is { } inner ? FromException(inner) : null,
                null);
    }

    /// <summary>Whether the failure was an exception of this type or of one derived from it.</summary>
    public bool IsCausedBy<T>()
        where T : Exception => IsCausedBy(typeof(T));

    /// <summary>Whether the failure was an exception of this type or of one derived from it.</summary>
    public bool IsCausedBy(Type targetBaseExceptionType)
    {
        ArgumentNullException.ThrowIfNull(targetBaseExceptionType);
        var thrown = Type.GetType(ErrorType)
            ?? AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(ErrorType)).FirstOrDefault(type => type is not null);
        return thrown is not null && targetBaseExceptionType.IsAssignableFrom(thrown);
    }
}
