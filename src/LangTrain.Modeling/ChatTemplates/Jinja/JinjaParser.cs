using System.Runtime.CompilerServices;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Tokens to statements: the tags of Jinja that a template without other files can have, with <c>break</c>, <c>continue</c> and <c>generation</c>.</summary>
internal sealed class JinjaParser
{
    private readonly JinjaTokens _tokens;
    private readonly ExpressionParser _expressions;

    private JinjaParser(JinjaTokens tokens) => (_tokens, _expressions) = (tokens, new ExpressionParser(tokens));

    /// <exception cref="ChatTemplateException">The template does not parse; says why, and the line.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new JinjaParser(new JinjaTokens(JinjaLexer.Read(source)));
        var statements = parser.Body();
        return parser._tokens.Current.Kind == TokenKind.End ? statements : throw parser._tokens.Error($"Encountered unknown tag '{parser._tokens.Current.Value}'.");
    }

    /// <summary>Statements up to one of the tags, whose name is then current; at the end of the template where none is given.</summary>
    private List<Statement> Body(params ReadOnlySpan<string> ends)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw _tokens.Error("the template is nested too deep");
        var body = new List<Statement>();
        while (true)
        {
            var token = _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataStatement(token.Value));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new PrintStatement(_expressions.Tuple()));
                    _tokens.Expect(TokenKind.VariableEnd);
                    break;
                case TokenKind.BlockBegin when _tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Value):
                    return body;
                case TokenKind.BlockBegin:
                    body.Add(Tag());
                    break;
                default:
                    if (ends.Length > 0) throw _tokens.Error($"Unexpected end of template. Jinja was looking for: {string.Join(" or ", ends.ToArray())}.");
                    return body;
            }
        }
    }

    /// <summary>A body behind the end of its opening tag, up to its closing one.</summary>
    private List<Statement> Block(string end)
    {
        EndTag();
        var body = Body(end);
        _tokens.Next();
        EndTag();
        return body;
    }

    private void EndTag()
    {
        _tokens.TryTake(TokenKind.Operator, ":");
        _tokens.Expect(TokenKind.BlockEnd);
    }

    private Statement Tag()
    {
        var name = _tokens.Expect(TokenKind.Name).Value;
        switch (name)
        {
            case "if":
                return If();
            case "for":
                return For();
            case "set":
                return Set();
            case "macro":
                var macro = _tokens.Expect(TokenKind.Name).Value;
                return new MacroStatement(macro, MacroBody("endmacro", Parameters()));
            case "call":
                var parameters = _tokens.Is(TokenKind.Operator, "(") ? Parameters() : [];
                var call = _expressions.Expression() as CallExpression ?? throw _tokens.Error("expected call");
                return new CallStatement(call, MacroBody("endcall", parameters));
            case "filter":
                var filters = _expressions.Filters(startsInline: true);
                return new FilterStatement(filters, Block("endfilter"));
            case "with":
                return new WithStatement(Variables(), Block("endwith"));
            case "generation":
                return new WithStatement([], Block("endgeneration"));
            case "print":
                Statement print = new PrintStatement(_expressions.Tuple());
                EndTag();
                return print;
            case "break" or "continue":
                EndTag();
                return new JumpStatement(name == "break" ? Flow.Break : Flow.Continue);
            default:
                throw _tokens.Error($"Encountered unknown tag '{name}'.");
        }
    }

    private IfStatement If()
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        var test = _expressions.Tuple(isWholeExpression: false);
        while (true)
        {
            EndTag();
            branches.Add((test, Body("elif", "else", "endif")));
            var word = _tokens.Next().Value;
            if (word == "elif")
            {
                test = _expressions.Tuple(isWholeExpression: false);
                continue;
            }
            if (word == "else") branches.Add((null, Block("endif")));
            else EndTag();
            return new IfStatement(branches);
        }
    }

    private ForStatement For()
    {
        var target = Targets(withNamespace: false);
        _tokens.ExpectName("in");
        var items = _expressions.Tuple(isWholeExpression: false, end: "recursive");
        var test = _tokens.TryTake(TokenKind.Name, "if") ? _expressions.Expression() : null;
        var isRecursive = _tokens.TryTake(TokenKind.Name, "recursive");
        EndTag();
        var body = Body("endfor", "else");
        IReadOnlyList<Statement> otherwise = [];
        if (_tokens.Next().Value == "else") otherwise = Block("endfor");
        else EndTag();
        return new ForStatement(target, items, test, isRecursive, body, otherwise);
    }

    private SetStatement Set()
    {
        var target = Targets(withNamespace: true);
        if (_tokens.TryTake(TokenKind.Operator, "="))
        {
            var value = _expressions.Tuple();
            EndTag();
            return new SetStatement(target, value, [], null);
        }
        var filters = _tokens.Is(TokenKind.Operator, "|") ? _expressions.Filters(startsInline: false) : null;
        return new SetStatement(target, null, Block("endset"), filters);
    }

    private List<(Target, Expression)> Variables()
    {
        var variables = new List<(Target, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (variables.Count > 0) _tokens.Expect(TokenKind.Operator, ",");
            var target = OneTarget(withNamespace: false);
            _tokens.Expect(TokenKind.Operator, "=");
            variables.Add((target, _expressions.Expression()));
        }
        return variables;
    }

    private Target Targets(bool withNamespace)
    {
        var targets = new List<Target> { OneTarget(withNamespace) };
        var isTuple = false;
        while (_tokens.TryTake(TokenKind.Operator, ","))
        {
            isTuple = true;
            if (_tokens.Current.Kind != TokenKind.Name && !_tokens.Is(TokenKind.Operator, "(")) break;
            if (_tokens.Is(TokenKind.Name, "in")) break;
            targets.Add(OneTarget(withNamespace));
        }
        return isTuple ? new TupleTarget(targets) : targets[0];
    }

    private Target OneTarget(bool withNamespace)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw _tokens.Error("a target is nested too deep");
        if (_tokens.TryTake(TokenKind.Operator, "("))
        {
            var inner = Targets(withNamespace);
            _tokens.Expect(TokenKind.Operator, ")");
            return inner;
        }
        var name = _tokens.Expect(TokenKind.Name).Value;
        if (ExpressionParser.IsConstant(name)) throw _tokens.Error($"can't assign to '{name}'");
        return withNamespace && _tokens.TryTake(TokenKind.Operator, ".") ? new NamespaceTarget(name, _tokens.Expect(TokenKind.Name).Value) : new NameTarget(name);
    }

    private List<(string, Expression?)> Parameters()
    {
        var parameters = new List<(string, Expression?)>();
        _tokens.Expect(TokenKind.Operator, "(");
        while (!_tokens.TryTake(TokenKind.Operator, ")"))
        {
            if (parameters.Count > 0) _tokens.Expect(TokenKind.Operator, ",");
            var name = _tokens.Expect(TokenKind.Name).Value;
            var byDefault = _tokens.TryTake(TokenKind.Operator, "=") ? _expressions.Expression() : null;
            if (byDefault is null && parameters.Count > 0 && parameters[^1].Item2 is not null) throw _tokens.Error("non-default argument follows default argument");
            parameters.Add((name, byDefault));
        }
        return parameters;
    }

    private MacroBody MacroBody(string end, IReadOnlyList<(string, Expression?)> parameters)
    {
        var around = _expressions.Names;
        _expressions.Names = [];
        var body = new MacroBody(parameters, Block(end), _expressions.Names);
        around.UnionWith(_expressions.Names);
        _expressions.Names = around;
        return body;
    }
}
