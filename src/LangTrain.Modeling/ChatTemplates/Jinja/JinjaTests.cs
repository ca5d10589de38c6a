namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Jinja's tests: what stands behind <c>is</c>.</summary>
/// <remarks>Jinja documentation, "List of Builtin Tests".</remarks>
internal static class JinjaTests
{
    private delegate bool Test(object? value, JinjaArguments arguments);

    private static readonly Dictionary<string, Test> s_tests = new()
    {
        ["boolean"] = (value, _) => value is bool,
        ["callable"] = (value, _) => value is JinjaFunction or LoopVariable or Undefined,
        ["defined"] = (value, _) => value is not Undefined,
        ["divisibleby"] = (value, arguments) => PythonValue.AreEqual(PythonNumber.Binary("%", value, arguments.Bind("divisibleby", "num")[0]), 0L),
        ["escaped"] = (value, _) => value is Markup,
        ["even"] = (value, arguments) => PythonValue.AreEqual(PythonNumber.Binary("%", value, 2L), 0L),
        ["false"] = (value, _) => value is false,
        ["filter"] = (value, _) => PythonValue.AsText(value) is { } name && JinjaFilters.Knows(name),
        ["float"] = (value, _) => value is double,
        ["in"] = (value, arguments) => PythonValue.Contains(arguments.Bind("in", "seq")[0], value),
        ["integer"] = (value, _) => value is long,
        ["iterable"] = (value, _) => value is PythonList or PythonDict or PythonIterator or Undefined or LoopVariable || PythonValue.AsText(value) is not null,
        ["lower"] = (value, _) => PythonText.IsLower(PythonValue.Text(value)),
        ["mapping"] = (value, _) => value is PythonDict,
        ["none"] = (value, _) => value is null,
        ["number"] = (value, _) => PythonNumber.IsNumber(value),
        ["odd"] = (value, arguments) => PythonValue.AreEqual(PythonNumber.Binary("%", value, 2L), 1L),
        ["sameas"] = (value, arguments) => arguments.Bind("sameas", "other")[0] is var other && (value is null or bool ? Equals(value, other) : ReferenceEquals(value, other) || (value is long or string && Equals(value, other))),
        ["sequence"] = (value, _) => value is PythonList { HasPlaces: true } or PythonDict or Undefined || PythonValue.AsText(value) is not null,
        ["string"] = (value, _) => PythonValue.AsText(value) is not null,
        ["test"] = (value, _) => PythonValue.AsText(value) is { } name && Knows(name),
        ["true"] = (value, _) => value is true,
        ["undefined"] = (value, _) => value is Undefined,
        ["upper"] = (value, _) => PythonText.IsUpper(PythonValue.Text(value)),
        ["eq"] = Comparison("=="),
        ["equalto"] = Comparison("=="),
        ["=="] = Comparison("=="),
        ["ne"] = Comparison("!="),
        ["!="] = Comparison("!="),
        ["lt"] = Comparison("<"),
        ["lessthan"] = Comparison("<"),
        ["<"] = Comparison("<"),
        ["le"] = Comparison("<="),
        ["<="] = Comparison("<="),
        ["gt"] = Comparison(">"),
        ["greaterthan"] = Comparison(">"),
        [">"] = Comparison(">"),
        ["ge"] = Comparison(">="),
        [">="] = Comparison(">="),
    };

    /// <summary>Whether there is a test of that name.</summary>
    public static bool Knows(string name) => s_tests.ContainsKey(name);

    /// <exception cref="ChatTemplateException">There is no such test, or it is not for such a value or arguments.</exception>
    public static bool Holds(string name, object? value, JinjaArguments arguments) =>
        s_tests.TryGetValue(name, out var test) ? test(value, arguments) : throw new ChatTemplateException($"No test named '{name}'.");

    private static Test Comparison(string operation) => (value, arguments) => CompareExpression.Holds(operation, value, arguments.Bind(operation, "other")[0]);
}
