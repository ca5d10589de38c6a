using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.LocalHost.Tests.FunctionsApi;

/// <summary>What the app compiles against here must be part of what it compiles against on Azure, letter by letter.</summary>
public sealed class ReferenceApiTests
{
    [Fact]
    public void Every_reference_type_and_member_is_one_of_the_real_packages()
    {
        var published = PublishedSignatures.TryRead();
        if (published is null)
        {
            Assert.Skip("../shared/functions-api.md is not beside this repository");
        }

        var differences = new List<string>();
        var types = ReferenceTypes();
        Assert.True(types.Count > 30, "the reference types were not found");
        foreach (var type in types)
        {
            var key = $"{type.Namespace}.{type.Name.Split('`')[0]}`{type.GetGenericArguments().Length}";
            if (!published.Types.TryGetValue(key, out var real))
            {
                differences.Add($"{key} is not a type of the packages");
                continue;
            }

            differences.AddRange(Differences(type, real).Select(difference => $"{key}: {difference}"));
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static List<Type> ReferenceTypes() => typeof(FunctionAttribute).Assembly.GetExportedTypes()
        .Where(type => type.Namespace?.StartsWith("Microsoft.", StringComparison.Ordinal) == true)
        .ToList();

    private static IEnumerable<string> Differences(Type type, PublishedType real)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = Signature.MembersOf(type).Single(member => member.Contains(" Invoke(", StringComparison.Ordinal))
                .Replace("public virtual ", "delegate ").Replace(" Invoke(", $" {type.Name}(");
            return Signature.Normalized(real.Declaration) == invoke + ";" ? [] : [$"'{invoke};' is '{real.Declaration}'"];
        }

        return DeclarationDifferences(type, real).Concat(type.IsEnum ? EnumDifferences(type, real) : MemberDifferences(type, real));
    }

    private static IEnumerable<string> MemberDifferences(Type type, PublishedType real)
    {
        var members = real.Members.Select(member => Signature.Normalized(member).TrimEnd(';')).ToHashSet();
        return Signature.MembersOf(type).Where(member => !members.Contains(Signature.Normalized(member)))
            .Select(member => $"'{member}' is not a member of the real type");
    }

    private static IEnumerable<string> EnumDifferences(Type type, PublishedType real)
    {
        var values = string.Join(", ", Enum.GetValues(type).Cast<object>().Select(value => $"{value} = {(int)value}"));
        return real.Declaration.Contains($"{{ {values} }}", StringComparison.Ordinal) ? [] : [$"'{values}' is '{real.Declaration}'"];
    }

    private static IEnumerable<string> DeclarationDifferences(Type type, PublishedType real)
    {
        var isRecord = type.GetMethod("<Clone>$") is not null;
        var kind = (type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : isRecord ? "record" : "class")
            + $" {type.Name.Split('`')[0]}";
        var modifiers = type switch
        {
            { IsInterface: true } or { IsValueType: true } => "",
            { IsAbstract: true, IsSealed: true } => "static ",
            { IsAbstract: true } => "abstract ",
            { IsSealed: true } => "sealed ",
            _ => "",
        };
        if (!real.Declaration.StartsWith(modifiers + kind, StringComparison.Ordinal))
        {
            yield return $"'{modifiers}{kind}' is '{real.Declaration}'";
        }

        if (type.IsClass && type.BaseType != typeof(object) && !real.Declaration.Contains(Signature.TypeName(type.BaseType!), StringComparison.Ordinal))
        {
            yield return $"its base is not {type.BaseType!.Name}";
        }

        var inherited = type.BaseType?.GetInterfaces() ?? [];
        foreach (var implemented in type.GetInterfaces().Except(inherited).Where(i => !type.IsEnum && !type.GetInterfaces().Any(o => o.GetInterfaces().Contains(i))))
        {
            if (!real.Declaration.Contains(Signature.TypeName(implemented), StringComparison.Ordinal))
            {
                yield return $"it does not implement {implemented.Name}";
            }
        }

        var usage = type.GetCustomAttribute<AttributeUsageAttribute>(inherit: false);
        var realUsage = real.Attributes.FirstOrDefault(line => line.StartsWith("[AttributeUsage", StringComparison.Ordinal));
        if (typeof(Attribute).IsAssignableFrom(type) && usage is not null && realUsage?.StartsWith($"[AttributeUsage({usage.ValidOn}", StringComparison.Ordinal) != true)
        {
            yield return $"its usage {usage.ValidOn} is {realUsage ?? "inherited"}";
        }
    }
}
