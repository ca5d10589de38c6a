namespace Microsoft.Azure.Functions.Worker.Middleware;

/// <summary>A step around every invocation. One instance serves all of them, so it keeps no state of its own.</summary>
public interface IFunctionsWorkerMiddleware
{
    /// <summary>Does its part and calls <paramref name="next"/>, or ends the invocation by not calling it.</summary>
    Task Invoke(FunctionContext context, FunctionExecutionDelegate next);
}
