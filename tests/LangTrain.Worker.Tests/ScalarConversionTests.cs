using Mono.Cecil;

namespace LangTrain.Worker.Tests;

/// <summary>
/// No number is handed to libtorch by TorchSharp's own conversions, which let a garbage collection free it while it is read (see <c>Scalars</c>): neither by our code
/// nor, for it, by a method of TorchSharp that makes one within.
/// </summary>
public sealed class ScalarConversionTests
{
    private const string Scalar = "TorchSharp.Scalar";

    [Theory]
    [InlineData("LangTrain.Modeling")]
    [InlineData("LangTrain.Training")]
    [InlineData("LangTrain.Inference")]
    [InlineData("LangTrain.Worker")]
    public void No_number_is_left_to_the_garbage_collector(string assembly)
    {
        var makers = MakersInTorchSharp();
        // A sum of tensors has a factor, which is such a number.
        Assert.Contains(makers, maker => maker.Contains("op_Addition", StringComparison.Ordinal));

        using var ours = Open(assembly);
        var found = from method in Methods(ours)
                    where method.DeclaringType.FullName != "LangTrain.Modeling.Scalars"
                    from called in CallsOf(method)
                    where Makes(called) || makers.Contains(NameOf(called))
                    select $"{method.FullName} calls {called.FullName}";

        Assert.True(!found.Any(), string.Join('\n', found.Distinct()));
    }

    /// <summary>The methods of TorchSharp that make a scalar for themselves, or call one that does.</summary>
    private static HashSet<string> MakersInTorchSharp()
    {
        using var torchSharp = Open("TorchSharp");
        var calls = Methods(torchSharp).Where(method => !method.DeclaringType.FullName.StartsWith(Scalar, StringComparison.Ordinal))
            .ToDictionary(method => method.FullName, method => CallsOf(method).ToList());
        var makers = calls.Where(method => method.Value.Exists(Makes)).Select(method => method.Key).ToHashSet();
        while (calls.Where(method => !makers.Contains(method.Key) && method.Value.Exists(called => makers.Contains(NameOf(called)))).Select(method => method.Key).ToList() is { Count: > 0 } more)
        {
            makers.UnionWith(more);
        }

        return makers;
    }

    private static bool Makes(MethodReference called) =>
        (called.Name is "op_Implicit" or "ToScalar" && called.ReturnType.FullName == Scalar) || (called.Name == ".ctor" && called.DeclaringType.FullName == Scalar);

    private static string NameOf(MethodReference called) => called is GenericInstanceMethod generic ? generic.ElementMethod.FullName : called.FullName;

    private static IEnumerable<MethodReference> CallsOf(MethodDefinition method) =>
        method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>();

    private static IEnumerable<MethodDefinition> Methods(ModuleDefinition module) =>
        module.Types.SelectMany(WithNested).SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<TypeDefinition> WithNested(TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    private static ModuleDefinition Open(string assembly) => ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
}
