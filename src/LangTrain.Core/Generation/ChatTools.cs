using System.Text.Json;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>Reads <c>tools</c>, <c>tool_choice</c> and <c>response_format</c>; they go to the worker in OpenAI's shape.</summary>
internal static class ChatTools
{
    /// <summary>The tools, or null.</summary>
    public static JsonElement? ReadTools(RequestObject request)
    {
        if (request.Objects("tools", 128) is not { Count: > 0 } tools)
        {
            return null;
        }

        foreach (var tool in tools)
        {
            if (!tool.Has("type"))
            {
                tool.Missing("type");
            }

            tool.OneOf("type", "function");
            if (tool.Object("function") is { } function)
            {
                var name = function.RequireText("name", 64);
                if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
                {
                    function.Problems.Add(function.At("name"), $"{function.At("name")} may hold letters, digits, '_' and '-' only.");
                }

                function.Text("description");
                function.Object("parameters");
                function.Flag("strict");
                function.RefuseUnknownKeys();
            }
            else if (!tool.Has("function"))
            {
                tool.Missing("function");
            }

            tool.RefuseUnknownKeys();
        }

        return request.Find("tools");
    }

    /// <summary>The choice, or null.</summary>
    public static JsonElement? ReadChoice(RequestObject request, JsonElement? tools)
    {
        request.Takes("tool_choice", """{"anyOf":[{"type":"string","enum":["none","auto","required"]},{"type":"object","properties":{"type":{"const":"function"},"function":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}},"required":["function"]}]}""");
        if (request.Find("tool_choice") is not { } choice)
        {
            return null;
        }

        if (choice.ValueKind == JsonValueKind.String)
        {
            var word = request.OneOf("tool_choice", "none", "auto", "required");
            if (word is "auto" or "required" && tools is null)
            {
                request.Problems.Add("tool_choice", "tool_choice needs tools.");
            }

            return choice;
        }

        if (request.Object("tool_choice") is { } named)
        {
            named.OneOf("type", "function");
            var wanted = named.Object("function")?.RequireText("name", 64);
            named.RefuseUnknownKeys();
            if (wanted is null && !named.Has("function"))
            {
                named.Missing("function");
            }
            else if (wanted is { Length: > 0 } && !Names(tools).Contains(wanted))
            {
                request.Problems.Add("tool_choice.function.name", $"tools hold no function '{Errors.ApiErrors.Shorten(wanted)}'.");
            }
        }

        return choice;
    }

    /// <summary>The format, or null for text.</summary>
    public static JsonElement? ReadResponseFormat(RequestObject request)
    {
        if (request.Object("response_format") is not { } format)
        {
            return null;
        }

        if (!format.Has("type"))
        {
            format.Missing("type");
        }

        var type = format.OneOf("type", "text", "json_object", "json_schema");
        if (format.Object("json_schema") is { } schema)
        {
            schema.RequireText("name", 64);
            schema.Text("description");
            schema.Flag("strict");
            if (schema.Object("schema") is null && !schema.Has("schema"))
            {
                schema.Missing("schema");
            }

            schema.RefuseUnknownKeys();
        }
        else if (type == "json_schema" && !format.Has("json_schema"))
        {
            format.Missing("json_schema");
        }

        format.RefuseUnknownKeys();
        return type == "text" ? null : request.Find("response_format");
    }

    private static IEnumerable<string?> Names(JsonElement? tools)
    {
        foreach (var tool in tools?.EnumerateArray() ?? default)
        {
            if (tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
                && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
            {
                yield return name.GetString();
            }
        }
    }
}
