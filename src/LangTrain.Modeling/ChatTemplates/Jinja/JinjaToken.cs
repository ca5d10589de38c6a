namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>What a piece of a template is.</summary>
internal enum TokenKind
{
    Data,
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Name,
    Text,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template: text to write as it is, or a word of the language between the braces.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The text; of a string literal what it stands for.</param>
/// <param name="Line">Line in the template, from 1.</param>
internal readonly record struct JinjaToken(TokenKind Kind, string Value, int Line);
