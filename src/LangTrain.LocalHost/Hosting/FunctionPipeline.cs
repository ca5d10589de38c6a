using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Hosting;

/// <summary>The app's middleware around the call of a function's method. Set up once; then safe to use from several threads.</summary>
internal sealed class FunctionPipeline(IServiceCollection services) : IFunctionsWorkerApplicationBuilder
{
    private readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> _steps = [];
    private FunctionExecutionDelegate? _whole;

    public IServiceCollection Services => services;

    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
    {
        _steps.Add(middleware);
        return this;
    }

    /// <summary>Runs middleware and method; the result is then the context's.</summary>
    public Task RunAsync(LocalFunctionContext context)
    {
        _whole ??= _steps.AsEnumerable().Reverse().Aggregate((FunctionExecutionDelegate)CallMethodAsync, (next, step) => step(next));
        return _whole(context);
    }

    private static async Task CallMethodAsync(FunctionContext functionContext)
    {
        var context = (LocalFunctionContext)functionContext;
        var function = context.Function;
        var arguments = new object?[function.Parameters.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = function.Parameters[i].Bind(context);
        }

        var instance = function.NewInstance?.Invoke(context.InstanceServices, null);
        try
        {
            var given = function.Invoker.Invoke(instance, arguments.AsSpan());
            if (given is Task task)
            {
                await task;
                given = function.ReadResult?.Invoke(task);
            }

            context.Result = given;
        }
        finally
        {
            await DisposeAsync(instance);
        }
    }

    private static async ValueTask DisposeAsync(object? instance)
    {
        if (instance is IAsyncDisposable asynchronous)
        {
            await asynchronous.DisposeAsync();
        }
        else
        {
            (instance as IDisposable)?.Dispose();
        }
    }
}
