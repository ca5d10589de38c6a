using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LangTrain.Contracts;

namespace LangTrain.Functions.OpenApi;

/// <summary>The documentation comments of the contract records, as text: what a developer reads in the code is what a client reads in the API's description.</summary>
/// <remarks>They come from the XML file beside the assembly. Where a deployment leaves it out, descriptions are missing and nothing else. Immutable.</remarks>
internal sealed partial class ContractWords
{
    private readonly Dictionary<string, XElement> _members;

    private ContractWords(Dictionary<string, XElement> members) => _members = members;

    /// <summary>Reads the file.</summary>
    public static ContractWords Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, typeof(ApiJson).Assembly.GetName().Name + ".xml");
        var members = File.Exists(path)
            ? XDocument.Load(path).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!, StringComparer.Ordinal)
            : [];
        return new ContractWords(members);
    }

    /// <summary>Summary of a record; null where it has none.</summary>
    public string? Of(Type type) => Text(Member("T:" + NameOf(type))?.Element("summary"));

    /// <summary>Summary of a property, or what the record says of the parameter that makes it; null where there is neither.</summary>
    public string? Of(MemberInfo property)
    {
        var type = NameOf(property.DeclaringType!);
        return Text(Member($"P:{type}.{property.Name}")?.Element("summary"))
            ?? Text(Member("T:" + type)?.Elements("param").FirstOrDefault(param => (string?)param.Attribute("name") == property.Name));
    }

    private static string NameOf(Type type) => (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');

    private XElement? Member(string name) => !_members.TryGetValue(name, out var member) ? null
        : member.Element("inheritdoc")?.Attribute("cref")?.Value is { } other ? Member(other)
        : member;

    private static string? Text(XElement? element)
    {
        if (element is null)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement link when (string?)link.Attribute("cref") is { } name => $"`{Snake(name[(name.LastIndexOf('.') + 1)..])}`",
                XElement link when (string?)link.Attribute("name") is { } name => $"`{Snake(name)}`",
                XElement link when (string?)link.Attribute("langword") is { } word => word,
                XElement other => Text(other),
                _ => "",
            });
        }

        return Blanks.Replace(text.ToString(), " ").Trim();
    }

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks { get; }
}
