Feature: Capitals
  Scenario Outline: It knows <country>
    When I ask "What is the capital of <contry>?"
    Then the reply mentions "<capital>"
    Examples:
      | country | capital |
      | France  | Paris   |
