using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.LocalHost.Hosting;

/// <summary>One invocation. Lives as long as it runs; one thread at a time uses it.</summary>
internal sealed class LocalFunctionContext(
    LocalFunction function,
    object? triggerValue,
    IReadOnlyDictionary<string, object?> bindingData,
    IServiceProvider services,
    int retryCount,
    int maxRetryCount,
    CancellationToken cancellation) : FunctionContext, IInvocationResultHolder
{
    private static readonly IReadOnlyDictionary<string, object?> NoData = new Dictionary<string, object?>();

    public LocalFunctionContext(LocalFunction function, object? triggerValue, IServiceProvider services, CancellationToken cancellation)
        : this(function, triggerValue, NoData, services, 0, 0, cancellation)
    {
    }

    private string? _invocationId;

    public override string InvocationId => _invocationId ??= Guid.NewGuid().ToString();

    public override string FunctionId => function.Id;

    public override TraceContext TraceContext { get; } = new CurrentTrace();

    public override BindingContext BindingContext { get; } = new Binding(bindingData);

    public override RetryContext RetryContext { get; } = new Retries(retryCount, maxRetryCount);

    public override IServiceProvider InstanceServices { get; set; } = services;

    public override FunctionDefinition FunctionDefinition => function;

    public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

    public override CancellationToken CancellationToken => cancellation;

    public object? Result { get; set; }

    internal LocalFunction Function => function;

    internal object? TriggerValue => triggerValue;

    private sealed class Binding(IReadOnlyDictionary<string, object?> data) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData => data;
    }

    private sealed class Retries(int count, int max) : RetryContext
    {
        public override int RetryCount => count;

        public override int MaxRetryCount => max;
    }

    private sealed class CurrentTrace : TraceContext
    {
        // The activity of the moment at which the function was called; its texts are made for those who ask.
        private readonly Activity? _activity = Activity.Current;

        public override string TraceParent => _activity?.Id ?? "";

        public override string TraceState => _activity?.TraceStateString ?? "";
    }
}
