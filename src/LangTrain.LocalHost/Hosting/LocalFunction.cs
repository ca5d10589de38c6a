using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;

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

    private sealed class Binding(string name, string type) : BindingMetadata
    {
        public override string Name => name;

        public override string Type => type;
    }
}
