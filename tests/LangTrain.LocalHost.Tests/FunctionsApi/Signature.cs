using System.Reflection;
using System.Runtime.CompilerServices;

namespace LangTrain.LocalHost.Tests.FunctionsApi;

/// <summary>Writes a member as functions-api.md does, without the nullability of reference types.</summary>
internal static class Signature
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(int)] = "int",
        [typeof(long)] = "long", [typeof(double)] = "double",
    };

    /// <summary>The visible members that the type itself declares; what the compiler adds to records is left out.</summary>
    public static IEnumerable<string> MembersOf(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var constructor in type.GetConstructors(Declared).Where(c => IsVisible(c) && !(type.IsAbstract && type.IsSealed)))
        {
            yield return $"{Access(constructor)}{NameOf(type)}({Parameters(constructor)})";
        }

        foreach (var property in type.GetProperties(Declared).Where(p => p.GetAccessors(true).Any(IsVisible) && p.Name != "EqualityContract"))
        {
            var accessor = property.GetAccessors(true).First(IsVisible);
            var init = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
            var accessors = (property.GetMethod is { } get && IsVisible(get) ? "get; " : "")
                + (property.SetMethod is { } set && IsVisible(set) ? init ? "init; " : "set; " : "");
            yield return $"{Access(accessor)}{Modifiers(accessor)}{TypeName(property.PropertyType)} {property.Name} {{ {accessors}}}";
        }

        foreach (var method in type.GetMethods(Declared).Where(m => IsVisible(m) && !m.IsSpecialName && !IsGenerated(m) && !IsObjectMember(m)))
        {
            yield return $"{Access(method)}{Modifiers(method)}{TypeName(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})";
        }
    }

    /// <summary>The text without the question marks of reference types and the words that reflection cannot see.</summary>
    public static string Normalized(string line)
    {
        foreach (var value in (string[])["DateTimeOffset", "TimeSpan", "TaskVersion", "bool", "int", "DateTime"])
        {
            line = line.Replace($"{value}?", $"{value}¿");
        }

        return line.Replace("?", "").Replace('¿', '?').Replace("[Obsolete] ", "").Replace("async ", "");
    }

    public static string TypeName(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return TypeName(underlying) + "?";
        }

        if (type.IsArray)
        {
            return TypeName(type.GetElementType()!) + "[]";
        }

        return type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(TypeName))}>"
            : type.Name;
    }

    private static string NameOf(Type type) => type.IsGenericType ? type.Name[..type.Name.IndexOf('`')] : type.Name;

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(TypeName))}>" : "";

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsGenerated(MethodInfo method) =>
        method.Name.Contains('<', StringComparison.Ordinal) || method.Name is "PrintMembers" or "Deconstruct";

    private static bool IsObjectMember(MethodInfo method) => method.Name is "ToString" or "Equals" or "GetHashCode";

    private static string Access(MethodBase method) => method.IsPublic ? "public " : "protected ";

    private static string Modifiers(MethodInfo method) => method switch
    {
        { IsStatic: true } => "static ",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } when method.GetBaseDefinition() == method => "virtual ",
        { IsVirtual: true, IsFinal: false } => "override ",
        _ => "",
    };

    private static string Parameters(MethodBase method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return extension + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var text = $"{(parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "")}{TypeName(parameter.ParameterType)} {parameter.Name}";
        if (!parameter.HasDefaultValue)
        {
            return text;
        }

        var isValueType = parameter.ParameterType.IsValueType;
        return text + parameter.DefaultValue switch
        {
            null => isValueType ? " = default" : " = null",
            bool value => value ? " = true" : " = false",
            var value => $" = {value}",
        };
    }
}
