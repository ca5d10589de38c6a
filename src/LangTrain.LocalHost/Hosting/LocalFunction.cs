using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Hosting;

/// <summary>One function of the app: its method, its trigger and how each parameter is bound. Immutable.</summary>
internal sealed class LocalFunction(
    string name, MethodInfo method, FunctionTrigger trigger, IReadOnlyList<ParameterBinding> parameters) : FunctionDefinition
{
    private readonly ImmutableDictionary<string, BindingMetadata> _inputs = parameters
        .Where(parameter => parameter.BindingType is not null)
        .ToImmutableDictionary(parameter => parameter.Name, BindingMetadata (parameter) => new Binding(parameter.Name, parameter.BindingType!));

    public override string Name => name;

    public override string Id => name;

    public override string EntryPoint => $"{method.DeclaringType!.FullName}.{method.Name}";

    public override string PathToAssembly => method.DeclaringType!.Assembly.Location;

    public override IImmutableDictionary<string, BindingMetadata> InputBindings => _inputs;

    public MethodInfo Method => method;

    public FunctionTrigger Trigger => trigger;

    public IReadOnlyList<ParameterBinding> Parameters => parameters;

    /// <summary>Makes an instance of the function's class; null for a static method.</summary>
    public ObjectFactory? NewInstance { get; } = method.IsStatic ? null : ActivatorUtilities.CreateFactory(method.DeclaringType!, []);

    /// <summary>Calls the method; what it throws comes as it is.</summary>
    public MethodInvoker Invoker { get; } = MethodInvoker.Create(method);

    /// <summary>Reads the result of a task that has ended; null where the method gives none.</summary>
    public Func<Task, object?>? ReadResult { get; } = method.ReturnType.IsGenericType && method.ReturnType.GetGenericTypeDefinition() == typeof(Task<>)
        ? typeof(LocalFunction).GetMethod(nameof(Read), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.ReturnType.GetGenericArguments()).CreateDelegate<Func<Task, object?>>()
        : null;

    private static object? Read<T>(Task task) => ((Task<T>)task).GetAwaiter().GetResult();

    private sealed class Binding(string name, string type) : BindingMetadata
    {
        public override string Name => name;

        public override string Type => type;
    }
}
