namespace LangTrain.Modeling.ChatTemplates;

/// <summary>Where @huggingface/jinja 0.5.11 writes something else than Jinja2 under Python does, which is what models were trained with: replacements in its source, made when it is loaded.</summary>
/// <remarks>The version is pinned by the lock file. A replacement whose text is not there fails the first use and with it every test of templates.</remarks>
internal static class JinjaCorrections
{
    /// <summary>The one key of the object that stands for a float in a template's variables.</summary>
    public const char FloatMark = '\uFDEE';

    private static readonly (string What, string Old, string New)[] Replacements =
    [
        ("values print as Python prints them",
            "function toJSON(input, options = {}, depth = 0, convertUndefinedToNull = true) {",
            """
            function pythonFloat(value) {
              const text = Object.is(value, -0) ? '-0.0' : Math.abs(value) < 1e16 && value % 1 === 0 ? value.toFixed(1) : value.toString();
              return text.replace(/e([+-])(\d)$/, 'e$10$2');
            }
            function pythonText(text) {
              const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
              return quote + text.replace(/[\\'\u0000-\u001f\u007f]/g, c => c === '\\' ? '\\\\' : c === "'" ? (quote === "'" ? "\\'" : c)
                : c === '\n' ? '\\n' : c === '\r' ? '\\r' : c === '\t' ? '\\t' : '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0')) + quote;
            }
            function pythonRepr(value) {
              switch (value.type) {
                case 'StringValue': return pythonText(value.value);
                case 'NullValue': return 'None';
                case 'UndefinedValue': return 'Undefined';
                case 'ArrayValue': return '[' + value.value.map(pythonRepr).join(', ') + ']';
                case 'TupleValue': return '(' + value.value.map(pythonRepr).join(', ') + (value.value.length === 1 ? ',)' : ')');
                case 'ObjectValue': case 'KeywordArgumentsValue': return '{' + Array.from(value.value, ([key, item]) => pythonText(key) + ': ' + pythonRepr(item)).join(', ') + '}';
                default: return value.toString();
              }
            }
            function toJSON(input, options = {}, depth = 0, convertUndefinedToNull = true) {
              if (input.type === 'FloatValue') return pythonFloat(input.value);
            """),
        ("floats",
            """
                if (Object.is(this.value, -0)) {
                  return "-0.0";
                }
                return this.value % 1 === 0 ? this.value.toFixed(1) : this.value.toString();
            """,
            "return pythonFloat(this.value);"),
        ("booleans", "  type = \"BooleanValue\";", "  type = \"BooleanValue\";\n  toString() { return this.value ? 'True' : 'False'; }"),
        ("none", "  type = \"NullValue\";", "  type = \"NullValue\";\n  toString() { return 'None'; }"),
        ("dictionaries, lists",
            "  toString() {\n    return toJSON(this, {}, 0, false);\n  }",
            "  toString() {\n    return pythonRepr(this);\n  }"),
        ("the filter string", "return new StringValue(toJSON(operand, {}, 0, false));", "return new StringValue(pythonRepr(operand));"),
        ("an expression that is none prints None; a statement prints nothing",
            "if (lastEvaluated.type !== \"NullValue\" && lastEvaluated.type !== \"UndefinedValue\") {",
            "if (lastEvaluated.type === \"NullValue\" ? !['Set', 'If', 'For', 'Macro', 'Break', 'Continue', 'CallStatement', 'FilterStatement', 'Comment', 'Generation'].includes(statement.type) : lastEvaluated.type !== \"UndefinedValue\") {"),
        ("what a loop's body wrote before break and continue stays",
            "      const lastEvaluated = this.evaluate(statement, environment);",
            """
                  let lastEvaluated;
                  try { lastEvaluated = this.evaluate(statement, environment); }
                  catch (control) {
                    if (control instanceof BreakControl || control instanceof ContinueControl) { control.written = result + (control.written ?? ''); }
                    throw control;
                  }
            """),
        ("the same", "        if (err instanceof ContinueControl) {\n          continue;", "        if (err instanceof ContinueControl) {\n          result += err.written ?? ''; noIteration = false;\n          continue;"),
        ("the same", "        if (err instanceof BreakControl) {\n          break;", "        if (err instanceof BreakControl) {\n          result += err.written ?? ''; noIteration = false;\n          break;"),
        ("a text times a number",
            "    if (left instanceof StringValue || right instanceof StringValue) {\n      switch (node.operator.value) {",
            """
                if (node.operator.value === '*' && (left instanceof StringValue && right instanceof IntegerValue || left instanceof IntegerValue && right instanceof StringValue)) {
                  const [text, times] = left instanceof StringValue ? [left.value, right.value] : [right.value, left.value];
                  return new StringValue(text.repeat(Math.max(0, times)));
                }
                if (left instanceof StringValue || right instanceof StringValue) {
                  switch (node.operator.value) {
            """),
        ("variables that are floats",
            "      } else if (Array.isArray(input)) {\n        return new ArrayValue(input.map(convertToRuntimeValues));",
            "      } else if ('" + "\uFDEE" + "' in input) {\n        return new FloatValue(Number(input['" + "\uFDEE" + "']));\n      } else if (Array.isArray(input)) {\n        return new ArrayValue(input.map(convertToRuntimeValues));"),
    ];

    /// <exception cref="InvalidOperationException">The library is another one than the replacements were written for.</exception>
    public static string Apply(string library)
    {
        foreach (var (what, old, replacement) in Replacements)
        {
            if (!library.Contains(old, StringComparison.Ordinal)) throw new InvalidOperationException($"@huggingface/jinja has changed; the correction '{what}' has to be looked at again.");
            library = library.Replace(old, replacement, StringComparison.Ordinal);
        }
        return library;
    }
}
